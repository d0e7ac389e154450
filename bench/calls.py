"""Calls beside another library's own, small and large: what a call costs through that library.

Small calls measure the library's steps and ours in Python, large ones the kernels and the memory. Both are
timed in turns, by `bench.clock`, in a process that may run on one CPU.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial

import click

from bench.clock import PERCENTILES, Call, Spread, interleave
from bench.conditions import load, revision
from bench.measure import pin
from bench.report import two_digits
from gpu_sigmoid import machine
from gpu_sigmoid.verify.processes import over_processes

Pairs = dict[str, tuple[Call, Call]]
"""Our call and the other library's, by name."""

rounds_option = click.option(
    "--rounds", type=click.IntRange(3), default=41, show_default=True, help="Timings of each call."
)


def page_of(library: str, sizes: Iterable[int], calls: Callable[[int], Pairs], rounds: int) -> None:
    """Print the page of a library's calls, measured in a process of its own."""
    work = partial(page, library, tuple(sizes), calls, load())
    with closing(over_processes(1, work, [rounds], partial(pin, 1))) as pages:
        click.echo(next(pages))


def page(
    library: str, sizes: tuple[int, ...], calls: Callable[[int], Pairs], others: str, rounds: int
) -> str:
    """Return a Markdown page: where and how it was measured, and a line for each call and size."""
    shown = {"jax": "JAX"}.get(library, library)
    names = (*machine.ON_CPU, library, f"{library}lib")
    found = ", ".join(f"{name} {version}" for name, version in machine.versions(names).items())
    low, high = PERCENTILES
    commit = revision()
    said = f"""\
# Calls through {shown}

{machine.cpu()}, {others}. {found}; {machine.today()}{commit and f", at commit {commit}"}.

One thread on one CPU, float32: medians of {rounds} rounds, in which the two take turns. The ratio is our
time over {shown}'s: the median over the rounds, with their {low}th and {high}th percentile.

    python -m bench {library}

| call | elements | us | {shown}'s, us | ratio |
|---|---:|---:|---:|---:|"""
    lines = [line(name, size, pair, rounds) for size in sizes for name, pair in calls(size).items()]
    return "\n".join([said, *lines])


def line(name: str, size: int, pair: tuple[Call, Call], rounds: int) -> str:
    ours, theirs = interleave(dict(zip("ab", pair, strict=True)), machine.host_seconds, rounds).values()
    times = Spread.of(ours / theirs)
    shown = [f"{Spread.of(seconds).median * 1e6:,.1f}" for seconds in (ours, theirs)]
    spread = f"{two_digits(times.median)} ({two_digits(times.low)}-{two_digits(times.high)})"
    return f"| {name} | {size:,} | {' | '.join(shown)} | {spread} |"
