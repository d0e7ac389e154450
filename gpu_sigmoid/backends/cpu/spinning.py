"""Threads that look out for the next call for a while after one, and compute blocks of it without Python.

For an array of some 300,000 elements a sleeping thread wakes too late to be of help, and one that has to
wait for the interpreter's lock as well later still. After a while without calls they sleep, and cost other
programs nothing. `shared_blocks` is what they run.

To wake a thread takes the caller 10 to 25 us. So shorter calls are helped by threads that are awake, and
wake them when several calls in quick succession have had as much work as one that is worth it.
"""

import ctypes
import os
import timeit
from threading import Lock, get_native_id
from time import perf_counter
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.placement import current_cpu, give_way, keep_off
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.backends.cpu.workers import acquire, new_lock, release, started
from gpu_sigmoid.environment import when_threads_are_set

SECONDS = 200e-6
"""How long a thread looks out before it sleeps."""

MOST = 255
"""Threads beside the caller's, at most."""

WAKING_FROM = 40_000_000
"""The work of a call, in the unit of `addresses.WORK`, from which on sleeping threads are woken: that of
320,000 elements of float32 sigmoid, 120 us on a Xeon and 55 us on a Zen 5. There two threads took a tenth
less time than one after a pause, and with 200,000 elements more."""

HELPED_FROM = 8_000_000
"""The same with threads that are awake: 65,000 elements of float32 sigmoid, 25 us on a Xeon."""

SECONDS_OF_WORK = 1.4e-12
"""How long a unit of it takes, at least."""

SMALLEST_BLOCK = 2_000_000
"""The work that a thread takes at a time, at least."""

PER_THREAD = 10_000_000
"""The work for each of several threads, at least: a caller wakes them one after the other."""


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
        # the shortest time is one without an interruption
        turn = min(timeit.repeat(lambda: look(self.address, 1000), number=1)) / 1000
        self.put(shared_blocks.TURNS, int(SECONDS / turn))

    def clear(self) -> None:
        """Put down that nothing is to be computed, and nobody there."""
        turns = self.word(self.layout.TURNS).value
        self.words[:] = 0
        self.put(self.layout.TURNS, turns)
        self.put(self.layout.ACQUIRE, ctypes.cast(acquire, ctypes.c_void_p).value or 0)
        self.put(self.layout.YIELD, ctypes.cast(give_way, ctypes.c_void_p).value or 0)
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
        self.sleeps = board().word(self.slot + layout.SLEEPS)

    def serve(self) -> None:
        self.native_id = get_native_id()
        board().help_out(board().address, board().address + self.slot)


_spinners: list[Spinner] = []
_starting = Lock()


class Times:
    """Seconds of the clock: until when threads look out, and until when a call follows one not helped."""

    awake = 0.0
    soon = 0.0
    work = 0
    """Of the calls in quick succession that were not helped."""
    setting = object()
    """Another one after each call of `set_num_threads`."""
    threads: tuple[Any, int] = (None, 0)
    """How many may compute a call while they look out, under which setting. To find it out takes 2 us."""


def helps(work: int) -> bool:
    """Return whether other threads should help with a call that is about to be made.

    Threads that call at the same time may confuse the answer, which decides on nothing but the time.
    """
    now = perf_counter()
    if now < Times.awake:
        return True
    Times.threads = None, 0
    if work >= WAKING_FROM:
        return True
    Times.work = work + (Times.work if now < Times.soon else 0)
    Times.soon = now + SECONDS + work * SECONDS_OF_WORK
    return Times.work >= WAKING_FROM


def share(loops: int, job: bytes, length: int, threads: int, work: int) -> None:
    """Compute a job on this thread and up to `threads` - 1 others. One call at a time is helped.

    `loops` is the address of the loops that compute it, between a start and a stop below `length`.
    """
    there, cpu = board(), current_cpu()
    helpers = up_to(min(threads - 1, max(1, work // PER_THREAD - 1), MOST))
    for spinner in helpers:
        keep_off(spinner, cpu)
    rows = max(1, length * max(SMALLEST_BLOCK, work // (4 * threads)) // work)
    # threads thought to be awake may sleep
    wakes = max(work, Times.work) >= WAKING_FROM
    there.compute(there.address, len(helpers) if wakes else 0, loops, job, length, rows)
    # the first is the first to be woken
    awake = helpers and not helpers[0].sleeps.value
    Times.awake = perf_counter() + SECONDS if awake else 0.0
    Times.work = 0


def _set_again() -> None:
    Times.setting = object()


when_threads_are_set.append(_set_again)


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
    Times.awake, Times.threads = 0.0, (None, 0)
    if _made:
        board().clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_spinners)
