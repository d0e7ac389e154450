"""From modes to rows of figures, block by block, over processes."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import pairwise
from typing import Any

import numpy as np

import gpu_sigmoid as gs
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.beside import ALL_MANTISSAS, ALL_PAIRS, CONSTANTS, beside, labels, others
from gpu_sigmoid.verify.compare import comparison, limits
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.exact import arranged, exact
from gpu_sigmoid.verify.pairs import double_doubles, pair_comparison, second_operands
from gpu_sigmoid.verify.processes import over_processes
from gpu_sigmoid.verify.subjects import OURS, Compute, Subject
from gpu_sigmoid.verify.units import UNITS

BLOCK = 1 << 22
MOST_OPEN = 1 << 16
# Beside operands that are no constants, every so-manyth float32 is taken at least, and of the x
# of 16-bit pairs every so-manyth in a sample.
SPARSE, PAIRS_SAMPLE = 61, 64
# 16-bit x in a block of pairs, and together in a kernel's call.
ROWS, ROWS_AT_ONCE = 1 << 12, 64
# How often 16-bit x are gone over where what is beside them is drawn.
MANY_TIMES = 256


@dataclass(frozen=True)
class Part:
    """A block of the operands of one mode: a range of bit patterns, or all that is chosen."""

    name: str
    mode: str
    dtype: str
    label: str | None
    """The rule for what goes beside x."""
    start: int = 0
    stop: int = 0
    stride: int = 1
    count: int = 0
    """How many float64 operands to choose."""
    times: int = 1
    """How often 16-bit operands are gone over, with other ones beside them."""
    result: int = 0
    """Which of the mode's results."""

    @property
    def operands(self) -> np.ndarray:
        if self.dtype == "float32":
            # one more at the start: neighbours are compared across blocks
            return inputs.patterns(max(self.start - self.stride, 0), self.stop, self.stride)
        if self.dtype == "float64":
            return inputs.chosen(self.name, self.count)
        everything = inputs.all_of(self.dtype)
        if self.of_pairs:
            return everything[self.start : self.stop : self.stride]
        return np.tile(everything, self.times)

    @property
    def of_pairs(self) -> bool:
        return self.label in (ALL_PAIRS, ALL_MANTISSAS)


@dataclass(frozen=True)
class Found:
    """What a part gave; `at` are the operands of the worst result."""

    points: int
    ulp: float
    at: tuple[float, ...]
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


NOTHING = Found(0, -1.0, (), 0.0, 0.0, 0, 0)


def stride_of(dtype: str, label: str | None, stride: int) -> int:
    """Return the stride of x, given that between float32 patterns."""
    if label in (ALL_PAIRS, ALL_MANTISSAS):
        return 1 if stride == 1 else PAIRS_SAMPLE
    if dtype != "float32":
        return 1
    return stride if label in (None, *CONSTANTS) else max(stride, SPARSE)


def parts(name: str, mode: str, dtype: str, stride: int, count: int) -> list[Part]:
    """Return the blocks that a mode is measured in; `stride` is between float32 patterns."""
    found = []
    chosen = [(label, r) for r in results_of(name, mode) for label in labels(name, mode, dtype, r)]
    for label, result in chosen:
        every = stride_of(dtype, label, stride)
        at_random = others(name) and label not in (None, ALL_PAIRS, ALL_MANTISSAS, *CONSTANTS)
        times = MANY_TIMES if stride == 1 and at_random else 1
        part = Part(name, mode, dtype, label, stride=every, count=count, times=times, result=result)
        if part.of_pairs:
            found += blocks(part, range(0, 1 << 16, ROWS), 1 << 16)
        elif dtype == "float32":
            step = BLOCK * every
            # where patterns turn from positive to negative a new block starts
            starts = [*range(0, 1 << 31, step), *range(1 << 31, inputs.PATTERNS, step)]
            found += blocks(part, starts, inputs.PATTERNS)
        else:
            found.append(part)
    return found


def results_of(name: str, mode: str) -> range:
    return range(len(FUNCTIONS[name].methods[mode].mode.partials))


def blocks(part: Part, starts: Iterable[int], end: int) -> list[Part]:
    """Return the part cut at `starts`."""
    return [replace(part, start=start, stop=stop) for start, stop in pairwise([*starts, end])]


def measure(part: Part, subject: Subject = OURS) -> Found | None:
    """Return the figures of a part, None where the subject does not offer it."""
    gs.set_num_threads(1)
    compute = subject.compute(part.name, part.mode, part.dtype)
    if compute is None:
        return None
    x = inputs.in_domain(part.name, part.operands, part.mode)
    x = x[np.abs(x) <= subject.within]
    if not x.size:
        return NOTHING
    with np.errstate(all="ignore"):
        if part.of_pairs:
            return figures_of_pairs(part, x, compute)
        more = beside(part.name, part.mode, part.label, x, part.result)
        return figures(part, x, more, one_result(part, compute(*arranged(part.name, x, more))))


def one_result(part: Part, results: Any) -> np.ndarray:
    return np.asarray(results[part.result] if isinstance(results, tuple) else results)


def figures(part: Part, x: np.ndarray, more: tuple, results: np.ndarray) -> Found:
    """Return the figures of results for operands x and, for some modes, more."""
    with np.errstate(all="ignore"):
        got = results.astype(np.float64)
        operands = np.stack([o.astype(np.float64) for o in arranged(part.name, x, more)])
    measured = by_mpmath if part.dtype == "float64" else by_float64
    return replace(measured(part, operands, got), violations=violations(part, x, got))


def figures_of_pairs(part: Part, x: np.ndarray, compute: Compute) -> Found:
    """Return the figures of all pairs of an x and a second operand."""
    second = second_operands(part.label or "", part.dtype)
    compare, format = pair_comparison(part.label or "", part.mode), limits(UNITS[part.dtype])
    found = NOTHING
    for start in range(0, len(x), ROWS_AT_ONCE):
        rows = x[start : start + ROWS_AT_ONCE]
        results = compute(*arranged(part.name, rows[:, None], (second[None],)))
        got = one_result(part, results).astype(np.float32)
        wide = rows.astype(np.float64), second.astype(np.float64)
        halves = double_doubles(part.name, part.mode, rows, part.result)
        i, j, wrong = compare(halves, *wide, got, *format)
        worst = settled(part, arranged(part.name, wide[0][i], (wide[1][j],)), float(got[i, j]))
        found = found.merged(replace(worst, points=got.size, wrong=int(wrong)))
    return found


def violations(part: Part, x: np.ndarray, got: np.ndarray) -> int:
    """Return how many neighbours are in the wrong order, where the function is increasing."""
    at_random = part.label not in (None, *CONSTANTS)
    if part.mode != "value" or at_random or not DEFINITIONS[part.name].increasing:
        return 0
    order = np.argsort(x, kind="stable")
    return int(np.count_nonzero(np.diff(got[order]) < 0))


def by_float64(part: Part, operands: np.ndarray, got: np.ndarray) -> Found:
    compare = comparison(part.name, part.mode, part.result)
    open_at = np.empty(MOST_OPEN, np.int64)
    at, wrong, open_count = compare(operands, got, *limits(UNITS[part.dtype]), open_at)
    if part.label not in (None, *CONSTANTS):
        # none is promised to be the nearest, and products with powers of two are ties by the million
        open_count = 0
    if open_count > len(open_at):
        raise ArithmeticError(f"{open_count} results too near to the middle of two to tell by float64")
    for i in open_at[:open_count]:
        truth, _ = exact(part.name, part.mode, *operands[:, i], result=part.result)
        wrong += float(got[i]) != UNITS[part.dtype].nearest(truth)
    worst = settled(part, tuple(operands[:, at]), float(got[at]))
    return replace(worst, points=len(got), wrong=int(wrong))


def by_mpmath(part: Part, operands: np.ndarray, got: np.ndarray) -> Found:
    each = (settled(part, tuple(operands[:, i]), float(y)) for i, y in enumerate(got))
    return reduce(Found.merged, each, NOTHING)


def settled(part: Part, operands: tuple, got: float) -> Found:
    """Return one result's figures, by mpmath."""
    unit = UNITS[part.dtype]
    truth, scale = exact(part.name, part.mode, *operands, dtype=part.dtype, result=part.result)
    want = unit.nearest(truth)
    error = unit.error(got, truth, scale)
    return Found(1, error, tuple(map(float, operands)), got, want, int(got != want), 0)


def measure_all(
    work: list[Part], jobs: int, done: Callable[[], Any], subject: Subject = OURS
) -> Generator[tuple[Part, Found | None], None, None]:
    """Measure parts on so many processes, in order."""
    if jobs == 1:
        for part in work:
            yield part, measure(part, subject)
            done()
        return
    with closing(over_processes(jobs, partial(measure, subject=subject), work)) as results:
        for part, found in zip(work, results, strict=True):
            yield part, found
            done()


def merged(results: Iterable[tuple[Part, Found | None]]) -> dict[tuple, Found]:
    """Return the figures of all blocks of each (function, mode, dtype, label)."""
    total: dict[tuple, Found] = {}
    for part, found in results:
        if found is not None:
            key = (part.name, part.mode, part.dtype, part.label)
            total[key] = total.get(key, NOTHING).merged(found)
    return total
