"""Timing several calls against each other.

The machine is shared and its speed drifts. So the calls are interleaved: each is timed once per round,
rounds start with different calls, and the ratio of two calls is the median of their ratios in each round. A
disturbance longer than a round affects both calls, and a shorter one does not move the median.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu_sigmoid.machine import Clock

Call = Callable[[], Any]
SAMPLE_SECONDS = 0.005
# JAX frees a large result after it has returned, on another thread: the next would pay for it.
SETTLE_SECONDS = 0.01
# Waking threads and refilling caches, some milliseconds at most, does not matter to a longer call.
LONG_SECONDS = 0.1
PERCENTILES = (10, 90)


@dataclass(frozen=True)
class Spread:
    """The median, and the percentiles between which most rounds lie."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: "list[float] | np.ndarray") -> "Spread":
        low, median, high = np.percentile(values, [PERCENTILES[0], 50, PERCENTILES[1]])
        return cls(float(median), float(low), float(high))


def interleave(
    calls: dict[str, Call], clock: Clock, rounds: int, settle_seconds: float = SETTLE_SECONDS
) -> dict[str, np.ndarray]:
    """Return the seconds per call of each, round by round, after calibrating and warming up."""
    counts = {name: calibrated(call, clock) for name, call in calls.items()}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            settle(settle_seconds)
            if not seconds[name] or seconds[name][-1] < LONG_SECONDS:
                calls[name]()  # wakes its threads, and refills the caches after the other calls
            seconds[name].append(clock(calls[name], counts[name]) / counts[name])
    return {name: np.array(values) for name, values in seconds.items()}


def settle(seconds: float) -> None:
    """Give way to threads that still work, but keep the CPU from falling asleep."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        time.sleep(0)


def calibrated(call: Call, clock: Clock) -> int:
    """Return how many calls make a sample long enough to time."""
    call()  # compiles, and takes a new array's page faults
    count = 1
    while (seconds := clock(call, count)) < SAMPLE_SECONDS:
        count = max(2 * count, int(count * SAMPLE_SECONDS / max(seconds, 1e-9)))
    return count
