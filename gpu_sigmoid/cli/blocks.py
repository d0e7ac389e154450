"""Running a job's blocks, here or on a Dask cluster."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from gpu_sigmoid.cli.stores import Job

Checkpoint = Callable[[], None]
POLL_SECONDS = 0.2


def run_here(job: Job, checkpoint: Checkpoint, done: Callable[[], None]) -> None:
    """Compute one block after the other."""
    for block in job.blocks:
        job.commit(job.compute(block))
        done()
        checkpoint()


def run_on_cluster(job: Job, address: str, checkpoint: Checkpoint, done: Callable[[], None]) -> None:
    """Compute blocks on the workers of a Dask scheduler, which see the same files.

    A few blocks per worker are under way at a time, so that their results, where they
    come back, take bounded memory. The scheduler repeats what a lost worker had.
    """
    with connected(address) as client:
        ahead = 2 * max(1, sum(client.nthreads().values()))
        pending: deque[Any] = deque()
        try:
            for block in job.blocks:
                if len(pending) == ahead:
                    finish(job, pending.popleft(), checkpoint, done)
                pending.append(client.submit(job.compute, block, pure=False))
            while pending:
                finish(job, pending.popleft(), checkpoint, done)
        finally:
            client.cancel(list(pending))


def finish(job: Job, future: Any, checkpoint: Checkpoint, done: Callable[[], None]) -> None:
    from distributed import wait

    while not future.done():
        try:
            wait(future, timeout=POLL_SECONDS)
        except TimeoutError:
            checkpoint()
    try:
        result = future.result()
    except OSError as error:
        raise click.ClickException(f"{error}: the workers are to see the same files") from None
    job.commit(result)
    done()
    checkpoint()


@contextmanager
def connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise click.ClickException('--scheduler needs Dask: pip install "gpu-sigmoid[dask]"') from None
    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"no Dask scheduler at {address}: {error}") from None
    with client, client.as_current():
        yield client
