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
from gpu_sigmoid.cli.paths import one_line
from gpu_sigmoid.cli.signals import checkpoint
from gpu_sigmoid.cli.stores import Job
from gpu_sigmoid.environment import get_num_threads

POLL_SECONDS = 0.2
CONNECT_SECONDS = 10
SETTLE_SECONDS = 10


def run_here(job: Job, done: Callable[[], None]) -> None:
    """Compute blocks on the job's threads, a few blocks ahead of the one that is awaited."""
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

    Only a few blocks per worker are in progress at a time, so that returned results take bounded memory.
    The scheduler repeats the blocks of a lost worker.
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
    # a worker without this package, a worker that is killed repeatedly, a lost scheduler
    except Exception as error:
        # disk errors have numbers, Dask's errors of a lost connection do not
        if isinstance(error, OSError) and error.errno in OF_WRITING:
            raise
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise click.ClickException(f"the Dask cluster did not compute a block: {reason}") from None
    finally:
        # the scheduler may be gone
        with suppress(Exception):
            abandon(client, list(pending))


def abandon(client: Any, futures: list[Any]) -> None:
    """Cancel blocks, after a while in which workers may end those that they have begun.

    Cancelling does not stop a worker, which would go on to write into the result's folder, and make it again
    if it was removed.
    """
    from distributed import wait

    try:
        # a lost scheduler would not say when
        if client.status == "running":
            wait(futures, timeout=SETTLE_SECONDS)
    finally:
        client.cancel(futures)


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
    """Yield a client of a scheduler, or None without an address."""
    if address is None:
        yield None
        return
    if find_spec("distributed") is None:
        raise click.ClickException('--scheduler needs Dask: pip install "gpu-sigmoid[dask]"')
    if not address.strip():
        raise click.UsageError("--scheduler needs an address such as tcp://HOST:8786, not ''")
    before = logging.root.manager.disable
    # Dask's log repeats the error with a traceback
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
    # each kind of address raises different errors
    except Exception as error:
        raise click.ClickException(f"no Dask scheduler at {address}: {one_line(error)}") from None
    try:
        with client.as_current():
            yield client
    finally:
        # a lost connection has already been reported
        with suppress(Exception):
            client.close()


async def reach(address: str) -> None:
    """Raise unless something listens at an address; without it the client ends with a traceback."""
    from distributed import Security
    from distributed.comm import connect

    arguments = Security().get_connection_args("client")
    connecting = connect(address, timeout=CONNECT_SECONDS, **arguments)
    # a second limit, since it would wait for ever for a server that accepts and then stays silent
    comm = await asyncio.wait_for(connecting, CONNECT_SECONDS + 1)
    comm.abort()
