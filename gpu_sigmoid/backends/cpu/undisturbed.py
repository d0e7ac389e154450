"""Calls of Numba that neither a signal handler nor a fork may interrupt.

Python runs signal handlers on its main thread, between any two instructions. An exception raised by one
is lost at some places in Numba, and at others leaves Numba half initialised, so that no later call
compiles. So the main thread hands such a call to another thread and waits, and its wait can be interrupted
at any time. A fork waits for the end of the call, since the child would inherit locks that nobody releases.
"""

import os
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")

# A thread inside one of these modules holds a lock that the other thread may need.
LOCKING = {"_frozen_importlib", "importlib._bootstrap", "numba.core.compiler_lock"}

_running = threading.RLock()


def undisturbed(call: Callable[[], T]) -> T:
    """Return `call()`, which runs to its end whatever a signal handler raises here."""
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
    """Return whether this thread is importing or compiling."""
    frame = sys._getframe()
    while frame := frame.f_back:  # type: ignore[assignment]
        if frame.f_globals.get("__name__") in LOCKING:
            return True
    return False


def started(run: Callable[[], None]) -> bool:
    """Start a thread that the process waits for at its end; return whether that was possible."""
    try:
        threading.Thread(target=run, name="gpu_sigmoid-compiling", daemon=False).start()
    except (MemoryError, RuntimeError) as error:
        innermost = error.__traceback__
        while innermost and innermost.tb_next:
            innermost = innermost.tb_next
        # a signal handler that raises the same error has its own frame
        if innermost is None or innermost.tb_frame.f_code is not threading.Thread.start.__code__:
            raise
        return False
    return True


def _after_fork() -> None:
    _running.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_running.acquire, after_in_parent=_after_fork, after_in_child=_after_fork)
