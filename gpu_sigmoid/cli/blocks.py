"""Running a job's blocks, here or on a Dask cluster."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

import click

from gpu_sigmoid.cli.group import OF_WRITING
from gpu_sigmoid.cli.signals import checkpoint
from gpu_sigmoid.cli.stores import Job
from gpu_sigmoid.environment import get_num_threads

POLL_SECONDS = 0.2
CONNECT_SECONDS = 10


def run_here(job: Job, done: Callable[[], None]) -> None:
    """Compute blocks on the threads that the job can use, a few ahead of the one that is waited for."""
    threads = get_num_threads() if job.threaded else 1
    pending: deque[Future[Any]] = deque()
    startable = True

    def started(block: Any) -> Future[Any]:
        nonlocal startable
        if startable:
            try:
                return pool.submit(job.compute, block)
            except RuntimeError:
                # the system allows no more threads
                startable = False
        here: Future[Any] = Future()
        here.set_result(job.compute(block))
        return here

    with ThreadPoolExecutor(threads) as pool:
        try:
            for block in job.blocks:
                if len(pending) == 2 * threads:
                    job.commit(pending.popleft().result())
                    done()
                pending.append(started(block))
            for future in pending:
                job.commit(future.result())
                done()
        finally:
            pool.shutdown(cancel_futures=True)


def run_on_cluster(job: Job, client: Any, done: Callable[[], None]) -> None:
    """Compute blocks on the workers of a Dask scheduler, which see the same files.

    A few blocks per worker are under way at a time, so that their results, where they
    come back, take bounded memory. The scheduler repeats what a lost worker had.
    """
    pending: deque[Any] = deque()
    try:
        ahead = 2 * max(1, sum(client.nthreads().values()))
        for block in job.blocks:
            if len(pending) == ahead:
                finish(job, pending.popleft(), done)
            pending.append(client.submit(job.compute, block, pure=False))
        while pending:
            finish(job, pending.popleft(), done)
    except FileNotFoundError as error:
        raise click.ClickException(f"{error}: the workers must see the same files") from None
    except (MemoryError, click.ClickException):
        raise
    # a worker without this package, one that is killed again and again, a scheduler that is gone
    except Exception as error:
        # a disk's errors have numbers, Dask's own of a lost connection have none
        if isinstance(error, OSError) and error.errno in OF_WRITING:
            raise
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise click.ClickException(f"the Dask cluster did not compute a block: {reason}") from None
    finally:
        # there may be no scheduler left to cancel anything
        with suppress(Exception):
            client.cancel(list(pending))


def finish(job: Job, future: Any, done: Callable[[], None]) -> None:
    from distributed import wait

    while not future.done():
        try:
            wait(future, timeout=POLL_SECONDS)
        except TimeoutError:
            checkpoint()
    job.commit(future.result())
    done()


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Give a client of a scheduler, None without an address."""
    if address is None:
        yield None
        return
    if find_spec("distributed") is None:
        raise click.ClickException('--scheduler needs Dask: pip install "gpu-sigmoid[dask]"')
    if not address.strip():
        raise click.ClickException("--scheduler needs an address such as tcp://HOST:8786, not ''")
    before = logging.root.manager.disable
    # Dask's log repeats with a traceback what is said here in a line
    logging.disable(logging.CRITICAL)
    try:
        with client_of(address) as client:
            yield client
    finally:
        logging.disable(before)


@contextmanager
def client_of(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        asyncio.run(reach(address))
        client = Client(address, timeout=f"{CONNECT_SECONDS}s", set_as_default=False)
    # each kind of address has errors of its own
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise click.ClickException(f"no Dask scheduler at {address}: {reason}") from None
    try:
        with client.as_current():
            yield client
    finally:
        # a lost connection has been said before this repeats it
        with suppress(Exception):
            client.close()


async def reach(address: str) -> None:
    """Raise unless something listens at an address: a client that finds nothing ends with a traceback."""
    from distributed import Security
    from distributed.comm import connect

    arguments = Security().get_connection_args("client")
    connecting = connect(address, timeout=CONNECT_SECONDS, **arguments)
    # a second limit: of a server that accepts and then says nothing it would wait for ever
    comm = await asyncio.wait_for(connecting, CONNECT_SECONDS + 1)
    comm.abort()
