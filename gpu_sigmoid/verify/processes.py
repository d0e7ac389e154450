"""Processes that measure, and end together with the process that started them."""

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any


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
        with interrupts_held():
            futures = [pool.submit(function, part) for part in work]
        for future in futures:
            yield future.result()
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
def interrupts_held() -> Iterator[None]:
    """Keep Ctrl-C, which a terminal sends to all processes, from those started meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
