"""From cases to rows of figures."""

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np

import gpu_sigmoid as gs
from bench import ours, peers
from bench.cases import Case, operands
from bench.clock import SETTLE_SECONDS, Call, Spread, interleave
from gpu_sigmoid import machine
from gpu_sigmoid.machine import Clock
from gpu_sigmoid.verify.processes import over_processes

OURS, BASELINE = "gpu_sigmoid", "copy"
"""The reference of times, and that of rates."""
# Larger than any GPU's second-level cache: rotated buffers come from memory.
ROTATED_BYTES = 1 << 28
MOST_SETS = 64


@dataclass(frozen=True)
class Row:
    """One contender's figures on one case."""

    case: Case
    contender: str
    """Ours, the baseline, or a peer."""
    nanoseconds: Spread
    """Per element."""
    gigabytes_per_second: float
    of_copy: float | None
    """The rate of moving bytes divided by the baseline's, a copy of as many elements."""
    times_ours: Spread | None
    """The contender's time over ours."""


def measure(case: Case, rounds: int, names: Iterable[str]) -> list[Row]:
    """Time a case: ours, the baseline, and every peer named that is installed and offers it."""
    on_gpu = case.threads == 0
    prepares = {OURS: ours.prepare, BASELINE: ours.copy}
    prepares |= {name: prepare for name in names if (prepare := peers.load(name, case.threads))}
    arrays = sets_of_arrays(case, gs.array_module(), ROTATED_BYTES) if on_gpu else [operands(case)]
    return rows(
        case,
        prepared(case, prepares, arrays),
        machine.gpu_seconds if on_gpu else machine.host_seconds,
        rounds,
    )


def sets_of_arrays(case: Case, xp: Any, rotated_bytes: int) -> list[tuple[tuple, tuple]]:
    """Return sets of inputs and outputs that together fill so many bytes."""
    sets = min(max(1, -(-rotated_bytes // case.bytes)), MOST_SETS)
    return [operands(case, xp, seed) for seed in range(sets)]


def prepared(case: Case, prepares: Mapping[str, peers.Prepare], arrays: list) -> dict[str, Call]:
    """Return the calls of the libraries that offer the case; each call takes the next set of arrays."""
    calls: dict[str, Call] = {}
    for name, prepare in prepares.items():
        ready = [call for a in arrays if (call := prepare(case, *a))]
        if ready:
            calls[name] = rotate(ready) if len(ready) > 1 else ready[0]
    return calls


def rotate(calls: list[Call]) -> Call:
    """Return a call that goes through the calls in turn."""
    rotation = cycle(calls)
    return lambda: next(rotation)()


def rows(case: Case, calls: dict[str, Call], clock: Clock, rounds: int) -> list[Row]:
    """Time calls in turns and return their figures."""
    # only on the host threads may still be working, and time on a GPU is expensive
    seconds = interleave(calls, clock, rounds, 0.0 if case.threads == 0 else SETTLE_SECONDS)
    rates = {name: case_bytes(case, name) / np.median(values) / 1e9 for name, values in seconds.items()}
    return [
        Row(
            case,
            name,
            Spread.of(values / case.size * 1e9),
            float(rates[name]),
            float(rates[name] / rates[BASELINE]) if BASELINE in rates else None,
            Spread.of(values / seconds[OURS]) if OURS in seconds else None,
        )
        for name, values in seconds.items()
    ]


def case_bytes(case: Case, name: str) -> int:
    """Return the bytes moved: a copy reads one array and writes one, whatever the case."""
    return 2 * case.bytes // (case.inputs + case.outputs) if name == BASELINE else case.bytes


def measure_all(
    cases: Iterable[Case], rounds: int, names: list[str], done: Callable[[], None]
) -> Generator[Row, None, None]:
    """Time the cases, with a separate process for each number of threads.

    The process may only run on that many CPUs. All libraries heed this, and for some it is the only way.
    """
    by_threads: dict[int, list[Case]] = {}
    for case in cases:
        by_threads.setdefault(case.threads, []).append(case)
    for threads, group in by_threads.items():
        timed = partial(measure, rounds=rounds, names=names)
        with closing(over_processes(1, timed, group, partial(pin, threads))) as results:
            for found in results:
                yield from found
                done()


def pin(threads: int) -> None:
    """Restrict this process to so many CPUs."""
    np.seterr(all="ignore")  # the textbook formulas warn of overflow
    if threads == 0:
        return
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    gs.set_num_threads(threads)
