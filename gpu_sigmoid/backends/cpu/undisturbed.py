"""Calls of Numba, which neither a signal's handler nor a fork is to break off.

Python runs signal handlers on its main thread, between any two instructions. Numba drops
what one raises at some places, and at others is left half set up: no later call compiles.
So the main thread hands such a call to another one and waits, where an exception is heard
at once. A process that is forked meanwhile would inherit locks that nobody opens.
"""

import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

# Who is within one of these holds a lock that the other thread may come to need.
LOCKING = {"_frozen_importlib", "importlib._bootstrap", "numba.core.compiler_lock"}

_running = threading.RLock()


def undisturbed(call: Callable[[], T]) -> T:
    """Return `call()`, which runs to its end whatever a signal handler raises here meanwhile."""
    results: SimpleQueue[T] = SimpleQueue()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with _running:
                results.put(call())
        except BaseException as error:
            failures.append(error)
            results.put(None)  # type: ignore[arg-type]

    if threading.current_thread() is not threading.main_thread() or is_locking() or not started(run):
        with _running:
            return call()
    result = results.get()
    for failure in failures:
        raise failure
    return result


def is_locking() -> bool:
    """Return whether this thread is in the middle of an import, or of compiling."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        if frame.f_globals.get("__name__") in LOCKING:
            return True
    return False


def started(run: Callable[[], None]) -> bool:
    """Return whether a thread could be started, which the process waits for when it ends."""
    try:
        threading.Thread(target=run, name="gpu_sigmoid-compiling", daemon=False).start()
    except (MemoryError, RuntimeError) as error:
        innermost = error.__traceback__
        while innermost and innermost.tb_next:
            innermost = innermost.tb_next
        # a signal handler, which may raise the same, has a frame of its own
        if innermost is None or innermost.tb_frame.f_code is not threading.Thread.start.__code__:
            raise
        return False
    return True


def _opened() -> None:
    _running.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_running.acquire, after_in_parent=_opened, after_in_child=_opened)
