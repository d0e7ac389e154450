"""From components to rows of figures, block by block, over processes."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np

import gpu_sigmoid as gs
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.compare import comparison, largest
from gpu_sigmoid.verify.definitions import exact
from gpu_sigmoid.verify.subjects import subject
from gpu_sigmoid.verify.units import UNITS

BLOCK = 1 << 22
MOST_OPEN = 1 << 16
INCREASING = {"sigmoid", "log_sigmoid", "softplus", "logit"}


@dataclass(frozen=True)
class Part:
    """A block of the operands of one component: float32 patterns, or all that is chosen."""

    name: str
    component: str
    dtype: str
    target: float | None
    peer: str
    start: int = 0
    stop: int = 0
    stride: int = 1
    count: int = 0
    """How many float64 operands to choose."""

    @property
    def operands(self) -> np.ndarray:
        if self.dtype == "float32":
            # one more at the start: neighbours are compared across blocks
            return inputs.patterns(max(self.start - self.stride, 0), self.stop, self.stride)
        return inputs.all_of(self.dtype) if self.dtype != "float64" else inputs.chosen(self.name, self.count)


@dataclass(frozen=True)
class Found:
    """What a part gave."""

    points: int
    ulp: float
    x: float
    got: float
    want: float
    wrong: int
    violations: int

    def merged(self, other: "Found") -> "Found":
        """Return what both together gave."""
        worst = self if not other.ulp > self.ulp else other
        return replace(
            worst,
            points=self.points + other.points,
            wrong=self.wrong + other.wrong,
            violations=self.violations + other.violations,
        )


NOTHING = Found(0, -1.0, 0.0, 0.0, 0.0, 0, 0)


def parts(name: str, component: str, dtype: str, peer: str, stride: int, count: int) -> list[Part]:
    """Return the blocks that a component is measured in; `stride` is between float32 patterns."""
    whole = [
        Part(name, component, dtype, target, peer, stride=stride, count=count)
        for target in inputs.targets(name)
    ]
    if dtype != "float32":
        return whole
    step = BLOCK * stride
    # where patterns turn from positive to negative a new block starts
    starts = [*range(0, 1 << 31, step), *range(1 << 31, inputs.PATTERNS, step)]
    stops = [*starts[1:], inputs.PATTERNS]
    return [
        replace(part, start=start, stop=stop)
        for part in whole
        for start, stop in zip(starts, stops, strict=True)
    ]


def measure(part: Part) -> Found | None:
    """Return the figures of a part, None where a peer does not offer it."""
    gs.set_num_threads(1)
    compute = subject(part.name, part.component, part.dtype, part.peer)
    if compute is None:
        return None
    x = inputs.in_domain(part.name, part.operands)
    if not x.size:
        return NOTHING
    more = () if part.target is None else (np.asarray(part.target, x.dtype),)
    with np.errstate(all="ignore"):
        return figures(part, x, more, np.asarray(compute(x, *more)))


def figures(part: Part, x: np.ndarray, more: tuple, results: np.ndarray) -> Found:
    """Return the figures of results for operands x and, for some functions, a target."""
    with np.errstate(all="ignore"):
        got = results.astype(np.float64)
    measured = by_mpmath if part.dtype == "float64" else by_float64
    return replace(measured(part, x, more, got), violations=violations(part, x, got))


def violations(part: Part, x: np.ndarray, got: np.ndarray) -> int:
    """Return how many neighbours are in the wrong order, where the function is increasing."""
    if part.component != "value" or part.name not in INCREASING:
        return 0
    order = np.argsort(x, kind="stable")
    return int(np.count_nonzero(np.diff(got[order]) < 0))


def by_float64(part: Part, x: np.ndarray, more: tuple, got: np.ndarray) -> Found:
    unit = UNITS[part.dtype]
    compare = comparison(part.name, part.component)
    open_at = np.empty(MOST_OPEN, np.int64)
    target = float(more[0]) if more else 0.0
    operands = x.astype(np.float64)
    limits = (unit.precision, unit.least, largest(unit))
    _, at, wrong, open_count = compare(operands, target, got, *limits, open_at)
    if open_count > len(open_at):
        raise ArithmeticError(f"{open_count} results too near to the middle of two to tell by float64")
    for i in open_at[:open_count]:
        truth, _ = exact(part.name, part.component, x[i], *more)
        wrong += float(got[i]) != unit.nearest(truth)
    return settled(part, x, more, got, at, wrong)


def by_mpmath(part: Part, x: np.ndarray, more: tuple, got: np.ndarray) -> Found:
    unit = UNITS[part.dtype]
    worst, at, wrong = -1.0, 0, 0
    for i, y in enumerate(got):
        truth, scale = exact(part.name, part.component, x[i], *more)
        error = unit.error(float(y), truth, scale)
        if error > worst:
            worst, at = error, i
        wrong += float(y) != unit.nearest(truth)
    return settled(part, x, more, got, at, wrong)


def settled(part: Part, x: np.ndarray, more: tuple, got: np.ndarray, at: int, wrong: int) -> Found:
    """Return the figures with the worst result's error by mpmath."""
    unit = UNITS[part.dtype]
    truth, scale = exact(part.name, part.component, x[at], *more)
    error = unit.error(float(got[at]), truth, scale)
    return Found(len(x), error, float(x[at]), float(got[at]), unit.nearest(truth), int(wrong), 0)


def measure_all(work: list[Part], jobs: int, done: Callable[[], Any]) -> Iterator[tuple[Part, Found | None]]:
    """Measure parts on so many processes, in order."""
    if jobs == 1:
        for part in work:
            yield part, measure(part)
            done()
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for part, found in zip(work, pool.map(measure, work), strict=True):
            yield part, found
            done()


def merged(results: Iterable[tuple[Part, Found | None]]) -> dict[tuple, Found]:
    """Return the figures of all blocks of each (function, component, dtype, target)."""
    total: dict[tuple, Found] = {}
    for part, found in results:
        if found is not None:
            key = (part.name, part.component, part.dtype, part.target)
            total[key] = total.get(key, NOTHING).merged(found)
    return total
