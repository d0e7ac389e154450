"""Threads that spin for a while after a call, to help with the next one, and run without Python.

A sleeping thread wakes too late to help with an array of some 300,000 elements, and one that also has to wait
for the interpreter's lock is later still. So these threads keep reading a word of memory that a call writes
(they spin), and run compiled code, that of `shared_blocks`, which needs no lock. After a while without calls
they sleep, and cost other programs nothing.

To wake a thread takes the caller 10 to 25 us, which only a long call is worth. Shorter calls get help from
threads that still spin. They wake sleeping threads when several calls in quick succession together have had
as much work as one long call.
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
"""How long a thread spins before it sleeps."""

MOST = 255
"""Threads beside the caller's, at most."""

WAKING_FROM = 40_000_000
"""The work of a call, in the unit of `addresses.WORK`, from which on sleeping threads are woken.

It is that of 320,000 elements of float32 sigmoid: 120 us on a Xeon, 55 us on a Zen 5. After a pause, two
threads took a tenth less time than one for so many elements, and more time than one for 200,000."""

HELPED_FROM = 8_000_000
"""The work of a call from which on threads that spin help: 65,000 elements of float32 sigmoid, 25 us on a
Xeon."""

SECONDS_OF_WORK = 1.4e-12
"""How long a unit of work takes, at least."""

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
        # the compiled functions, which must outlive the threads that run them
        self.kept: list[Any] = []

        def compiled(function: Any, *operands: Any) -> Any:
            signature = types.void(*[types.intp] * len(operands))
            made = undisturbed(lambda: native.of_own(function, signature, (memory, shared_blocks)))
            self.kept.append(made)
            return ctypes.CFUNCTYPE(None, *operands)(made.address or 0)

        self.compute = compiled(shared_blocks.compute, word, word, word, ctypes.c_char_p, word, word)
        self.help_out = compiled(shared_blocks.help_out, word, word)
        spin = compiled(shared_blocks.spin, word, word)

        # The threads read its memory until the process ends. Python frees its objects before that.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))
        self.layout = shared_blocks
        self.words = np.zeros((shared_blocks.SLOTS + (MOST + 1) * shared_blocks.LINE) // 8, np.int64)
        self.address = self.words.ctypes.data + -self.words.ctypes.data % shared_blocks.LINE
        self.clear()
        # the shortest time is one without an interruption
        turn = min(timeit.repeat(lambda: spin(self.address, 1000), number=1)) / 1000
        self.put(shared_blocks.TURNS, int(SECONDS / turn))

    def clear(self) -> None:
        """Reset the words: no job is open, and no thread is busy or asleep."""
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
    """Return the one board; of several that threads make at the same time, one is kept."""
    return _made.get("board") or _made.setdefault("board", Board())


class Spinner:
    """A thread that helps, with a place of its own on the board."""

    def __init__(self, number: int) -> None:
        self.native_id: int | None = None
        self.off = -1
        layout = board().layout
        self.slot = layout.SLOTS + number * layout.LINE
        bell = new_lock()
        # a thread that acquires it once more sleeps until a caller releases it
        acquire(bell, 1)
        board().put(self.slot + layout.BELL, bell)
        self.sleeps = board().word(self.slot + layout.SLEEPS)

    def serve(self) -> None:
        self.native_id = get_native_id()
        board().help_out(board().address, board().address + self.slot)


_spinners: list[Spinner] = []
_starting = Lock()


class Times:
    """What is known of the calls so far; times are those of `perf_counter`."""

    awake = 0.0
    """When the threads that spin will have fallen asleep."""
    soon = 0.0
    """Until when the next call counts as being in quick succession."""
    work = 0
    """The work of the calls in quick succession that were not helped."""
    setting = object()
    """A new object after each call of `set_num_threads`."""
    threads: tuple[Any, int] = (None, 0)
    """The setting and, as long as threads spin, how many threads compute a call under it: finding that out
    takes 2 us."""


def helps(work: int) -> bool:
    """Return whether other threads should help with a call that is about to be made.

    Calls by several threads at once may make the answer a wrong one, which only costs time.
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
    meeting, cpu = board(), current_cpu()
    helpers = up_to(min(threads - 1, max(1, work // PER_THREAD - 1), MOST))
    for spinner in helpers:
        keep_off(spinner, cpu)
    rows = max(1, length * max(SMALLEST_BLOCK, work // (4 * threads)) // work)
    # even where threads should be awake: they may have fallen asleep
    wakes = max(work, Times.work) >= WAKING_FROM
    meeting.compute(meeting.address, len(helpers) if wakes else 0, loops, job, length, rows)
    # the first helper is woken first
    awake = helpers and not helpers[0].sleeps.value
    Times.awake = perf_counter() + SECONDS if awake else 0.0
    Times.work = 0


def _set_again() -> None:
    Times.setting = object()


when_threads_are_set.append(_set_again)


def up_to(number: int) -> list[Spinner]:
    """Return so many threads, or fewer if no more can be started or another caller is starting some."""
    if len(_spinners) < number and _starting.acquire(blocking=False):
        try:
            while len(_spinners) < number and started((spinner := Spinner(len(_spinners))).serve):
                _spinners.append(spinner)
        finally:
            _starting.release()
    return _spinners[:number]


def _forget_spinners() -> None:
    """Forget the threads in a forked child, which has none of its parent's."""
    global _spinners, _starting
    _spinners, _starting = [], Lock()
    Times.awake, Times.threads = 0.0, (None, 0)
    if _made:
        board().clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_spinners)
