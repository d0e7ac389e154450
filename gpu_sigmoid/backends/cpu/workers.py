"""Threads that wait for work to share.

The standard library's pool takes five times as long to hand a task over and to wait for
it: more than a kernel takes for an array of a million elements.

An exception may come at any moment from a signal's handler, and another while the first is
under way. Still no helper may write once a call is over. Python looks for signals after a
call, when a function begins and when a loop turns back, so that an assignment and one call
of a C function after it are carried out whatever comes: a turn ends by these two.
"""

import ctypes
import os
from _thread import start_new_thread
from collections.abc import Callable
from itertools import count, starmap
from operator import call
from queue import SimpleQueue
from threading import Lock, get_ident, get_native_id
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.placement import current_cpu, keep_off

# A signal interrupts `threading.Lock.acquire`, but not this, which gives the interpreter's lock
# away meanwhile. All but `new_lock` return None.
new_lock = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", ctypes.pythonapi))
acquire = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", ctypes.pythonapi))
release = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyThread_release_lock", ctypes.pythonapi))


class Turn:
    """The time in which a call is helped."""

    def __init__(self, over: bool = False) -> None:
        self.over = over
        self.thread = get_ident()
        self.steps: list[tuple[Any, ...]] = []
        # goes through the steps, to the last one, when it is given to `any`
        self.waiting = starmap(call, self.steps)


class Task:
    """A function to be called with each number below `length`, by whoever draws it."""

    def __init__(self, function: Callable[[int], None], length: int) -> None:
        self.function, self.length = function, length
        self.numbers = count()
        self.failures: list[BaseException] = []
        self.turn = Turn()

    def do_all(self) -> None:
        while (number := next(self.numbers)) < self.length:
            self.function(number)

    def help(self) -> None:
        try:
            while not self.turn.over and (number := next(self.numbers)) < self.length:
                self.function(number)
        except BaseException as error:
            self.failures.append(error)


class Helper:
    """A thread that helps whoever puts a task into its queue."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Task] = SimpleQueue()
        self.busy = new_lock()
        self.native_id: int | None = None
        self.off = -1

    def serve(self) -> None:
        self.native_id = get_native_id()
        # how errors are handled is not inherited by threads
        np.seterr(invalid="ignore")
        while True:
            task = self.tasks.get()
            acquire(self.busy, 1)
            try:
                task.help()
            finally:
                release(self.busy)
            # hold on to no array while waiting
            del task


_helpers: list[Helper] = []
_claiming = Lock()
_latest = Turn(over=True)


def share(function: Callable[[int], None], length: int, helpers: int) -> None:
    """Call `function` with each number below `length`, here and on up to `helpers` other threads.

    Threads that have not woken by the time it is done here are not waited for. One call
    at a time is helped. When this returns or raises, no other thread is within `function`.
    """
    global _latest
    task = Task(function, length)
    turn = task.turn
    try:
        with _claiming:
            mine = _latest.over
            if mine:
                _latest = turn
        if mine:
            offer(task, helpers)
        task.do_all()
    finally:
        turn.over = True
        any(turn.waiting)
    for failure in task.failures:
        raise failure


def offer(task: Task, number: int) -> None:
    cpu = current_cpu()
    for helper in up_to(number):
        keep_off(helper, cpu)
        task.turn.steps += ((acquire, helper.busy, 1), (release, helper.busy))
        helper.tasks.put(task)


def up_to(number: int) -> list[Helper]:
    """Return so many helpers, or fewer where no more threads can be started."""
    while len(_helpers) < number:
        helper = Helper()
        try:
            start_new_thread(helper.serve, ())
        except (MemoryError, RuntimeError) as error:
            # a signal handler, which may raise the same, has a frame of its own
            if error.__traceback__ is not None and error.__traceback__.tb_next:
                raise
            break
        _helpers.append(helper)
    return _helpers[:number]


def _end_own_turn() -> None:
    """A signal handler that forks may lie over a call of its own thread, which goes on in both processes."""
    turn = _latest
    if turn.thread == get_ident():
        turn.over = True
        any(turn.waiting)


def _forget_helpers() -> None:
    """A forked child has none of its parent's threads, whatever they were doing."""
    global _claiming, _helpers, _latest
    _claiming, _helpers, _latest = Lock(), [], Turn(over=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_end_own_turn, after_in_child=_forget_helpers)
