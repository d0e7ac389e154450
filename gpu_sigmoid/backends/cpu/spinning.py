"""Threads that look out for the next call for a while after one, and compute blocks of it without Python.

For an array of some 300,000 elements a sleeping thread wakes too late to be of help, and one that has to
wait for the interpreter's lock as well later still. After a while without calls they sleep, and cost other
programs nothing. `shared_blocks` is what they run.
"""

import ctypes
import os
import time
from threading import Lock, get_native_id
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.jobs import Plan
from gpu_sigmoid.backends.cpu.placement import current_cpu, keep_off
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.backends.cpu.workers import acquire, new_lock, release, started

SECONDS = 200e-6
"""How long a thread looks out before it sleeps."""

MOST = 255
"""Threads beside the caller's, at most."""

# Elements that a thread takes at a time, at least.
SMALLEST_BLOCK = 1 << 14


class Board:
    """The compiled functions of `shared_blocks`, and the memory in which threads meet."""

    def __init__(self) -> None:
        from numba import types

        from gpu_sigmoid.backends.cpu import memory, native, shared_blocks

        word = ctypes.c_ssize_t
        self.kept: list[Any] = []

        def compiled(function: Any, *operands: Any) -> Any:
            signature = types.void(*[types.intp] * len(operands))
            made = undisturbed(lambda: native.of_own(function, signature, (memory, shared_blocks)))
            self.kept.append(made)
            return ctypes.CFUNCTYPE(None, *operands)(made.address or 0)

        self.compute = compiled(shared_blocks.compute, word, word, word, ctypes.c_char_p, word, word)
        self.help_out = compiled(shared_blocks.help_out, word, word)
        look = compiled(shared_blocks.look, word, word)

        # the threads run and read it until the process ends, when Python has let go of all its objects
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))
        self.layout = shared_blocks
        self.words = np.zeros((shared_blocks.SLOTS + (MOST + 1) * shared_blocks.LINE) // 8, np.int64)
        self.address = self.words.ctypes.data + -self.words.ctypes.data % shared_blocks.LINE
        self.clear()
        start = time.perf_counter()
        look(self.address, 1000)
        self.put(shared_blocks.TURNS, int(1000 * SECONDS / (time.perf_counter() - start)))

    def clear(self) -> None:
        """Put down that nothing is to be computed, and nobody there."""
        turns = self.word(self.layout.TURNS).value
        self.words[:] = 0
        self.put(self.layout.TURNS, turns)
        self.put(self.layout.ACQUIRE, ctypes.cast(acquire, ctypes.c_void_p).value or 0)
        self.put(self.layout.RELEASE, ctypes.cast(release, ctypes.c_void_p).value or 0)

    def word(self, offset: int) -> ctypes.c_ssize_t:
        return ctypes.c_ssize_t.from_address(self.address + offset)

    def put(self, offset: int, value: int) -> None:
        self.word(offset).value = value


_made: dict[str, Board] = {}


def board() -> Board:
    """Return the one board, whoever asks for it first; of several made at the same time one is kept."""
    return _made.get("board") or _made.setdefault("board", Board())


class Spinner:
    """A thread that helps, with a place of its own on the board."""

    def __init__(self, number: int) -> None:
        self.native_id: int | None = None
        self.off = -1
        layout = board().layout
        self.slot = layout.SLOTS + number * layout.LINE
        bell = new_lock()
        # so that the thread waits for it
        acquire(bell, 1)
        board().put(self.slot + layout.BELL, bell)

    def serve(self) -> None:
        self.native_id = get_native_id()
        board().help_out(board().address, board().address + self.slot)


_spinners: list[Spinner] = []
_starting = Lock()


def share(plan: Plan, job: bytes, threads: int) -> None:
    """Compute a job on this thread and up to `threads` - 1 others. One call at a time is helped."""
    cpu = current_cpu()
    helpers = up_to(min(threads - 1, MOST))
    for spinner in helpers:
        keep_off(spinner, cpu)
    rows = max(1, plan.length * max(SMALLEST_BLOCK, plan.size // (4 * threads)) // plan.size)
    board().compute(board().address, len(helpers), plan.address, job, plan.length, rows)


def up_to(number: int) -> list[Spinner]:
    """Return so many threads, or fewer where no more can be started, or another caller is starting some."""
    if len(_spinners) < number and _starting.acquire(blocking=False):
        try:
            while len(_spinners) < number and started((spinner := Spinner(len(_spinners))).serve):
                _spinners.append(spinner)
        finally:
            _starting.release()
    return _spinners[:number]


def _forget_spinners() -> None:
    """A forked child has none of its parent's threads, whatever they were doing."""
    global _spinners, _starting
    _spinners, _starting = [], Lock()
    if _made:
        board().clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_spinners)
