"""Threads that wait for work to share.

The standard library's pool takes five times as long to pass on a task and wait for it, which is more than
a kernel needs for a million elements.

A signal handler may raise an exception at any moment, and another one while the first is being handled.
Even then no helper may write after a call has ended. Python checks for signals after a call, at the start
of a function and at the end of a loop's turn. So an assignment followed by one call of a C function is
always carried out, and a turn ends with these two.
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
from gpu_sigmoid.signals import raised_in_c

# Python's own locks as C functions: a signal interrupts `threading.Lock.acquire`, but not `acquire`. While
# this waits, other threads run, since CFUNCTYPE releases the interpreter's lock and PYFUNCTYPE does not.
new_lock = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThread_allocate_lock", ctypes.pythonapi))
acquire = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)(("PyThread_acquire_lock", ctypes.pythonapi))
release = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyThread_release_lock", ctypes.pythonapi))


class Turn:
    """The period in which a call is helped; `any(turn.waiting)` waits until no helper is computing."""

    def __init__(self, over: bool = False) -> None:
        self.over = over
        self.thread = get_ident()
        self.steps: list[tuple[Any, ...]] = []
        # calls that return None, which `any` makes one after the other
        self.waiting = starmap(call, self.steps)


class Task:
    """A function to call with each number below `length`; threads draw the numbers."""

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
    """A thread that helps with the tasks in its queue."""

    def __init__(self) -> None:
        self.tasks: SimpleQueue[Task] = SimpleQueue()
        self.busy = new_lock()
        self.native_id: int | None = None
        self.off = -1

    def serve(self) -> None:
        self.native_id = get_native_id()
        # threads do not inherit the error handling
        np.seterr(invalid="ignore")
        while True:
            task = self.tasks.get()
            acquire(self.busy, 1)
            try:
                task.help()
            finally:
                release(self.busy)
            # keep no reference to an array while waiting
            del task


_helpers: list[Helper] = []
_claiming = Lock()
_latest = Turn(over=True)


def share(function: Callable[[int], None], length: int, helpers: int) -> None:
    """Call `function` with each number below `length`, here and on up to `helpers` other threads.

    It does not wait for threads that have not woken before it is done. One call at a time is helped. When
    this returns or raises, no other thread is inside `function`.
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
    """Return `number` helpers, or fewer if no more threads can be started."""
    while len(_helpers) < number:
        helper = Helper()
        if not started(helper.serve):
            break
        _helpers.append(helper)
    return _helpers[:number]


def started(serve: Callable[[], None]) -> bool:
    """Start a thread; return whether the system has another one."""
    try:
        start_new_thread(serve, ())
    except (MemoryError, RuntimeError) as error:
        if not raised_in_c(error):
            raise
        return False
    return True


def _end_own_turn() -> None:
    """End the help for a call that a forking signal handler has interrupted: both processes continue it."""
    turn = _latest
    if turn.thread == get_ident():
        turn.over = True
        any(turn.waiting)


def _forget_helpers() -> None:
    """Forget the threads in a forked child, which has none of its parent's."""
    global _claiming, _helpers, _latest
    _claiming, _helpers, _latest = Lock(), [], Turn(over=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_end_own_turn, after_in_child=_forget_helpers)
