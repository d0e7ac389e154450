"""Processes that measure, and end together with the process that started them."""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Any

from gpu_sigmoid.signals import ENDING

SECONDS = 0.1
"""How long a signal waits for a result."""

AHEAD = 256
"""How many parts of the work a pool is given at a time: to give it all at once may take seconds."""


def over_processes(
    number: int, function: Callable[[Any], Any], work: list[Any], start: Callable[[], Any] = bool
) -> Generator[Any, None, None]:
    """Yield a function's results in order, computed on several processes; each calls `start` first."""
    context = get_context("spawn")
    if sys.platform == "win32":
        # where a pool cannot wait for more processes
        number = min(number, 61)
    # only this process has the writing end, so the others notice when it is closed or this process ends
    reader, writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(number, context, begin, (reader, start))
    try:
        parts, ahead = iter(work), deque[Future[Any]]()
        while True:
            with signals_held():
                ahead.extend(pool.submit(function, part) for part in islice(parts, AHEAD - len(ahead)))
                if not ahead:
                    return
                if not wait([ahead[0]], SECONDS).done:
                    continue
                result = ahead.popleft().result()
            yield result
    except BaseException:
        writer.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        writer.close()
        reader.close()


def begin(reader: Connection, start: Callable[[], Any]) -> None:
    """Prepare this process, and let it end when the pipe's other end is closed."""
    Thread(target=end_with, args=(reader,), daemon=True).start()
    start()


def end_with(reader: Connection) -> None:
    with suppress(EOFError, OSError):
        reader.recv()
    os._exit(1)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let signals wait until the end, and keep Ctrl-C, which a terminal sends to all, from new processes.

    An exception that a handler raises within a pool's functions may leave a lock taken for which the pool's
    own thread then waits for ever.
    """
    if current_thread() is not main_thread():
        yield
        return
    received: list[tuple[int, FrameType | None]] = []
    handlers = {number: handler for number in ENDING if callable(handler := signal.getsignal(number))}
    blocks = hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]) if blocks else set()
    for number in handlers:
        signal.signal(number, lambda *what: received.append(what))
    try:
        yield
    finally:
        if blocks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for what in received:
            handlers[what[0]](*what)
