"""From modes to rows of figures, block by block, over processes."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import Any

import numpy as np

import gpu_sigmoid as gs
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.beside import CONSTANTS, beside
from gpu_sigmoid.verify.climbing import climbed
from gpu_sigmoid.verify.compare import comparison, limits
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.exact import arranged, exact
from gpu_sigmoid.verify.pairs import double_doubles, pair_comparison, second_operands
from gpu_sigmoid.verify.parts import Part
from gpu_sigmoid.verify.processes import over_processes
from gpu_sigmoid.verify.subjects import OURS, Compute, Subject
from gpu_sigmoid.verify.units import UNITS

MOST_OPEN = 1 << 16
# The number of 16-bit x in one call of a kernel.
ROWS_AT_ONCE = 64


@dataclass(frozen=True)
class Found:
    """The figures of a part; `at` are the operands of the worst result.

    `want` is the exact result in float64, whatever the dtype: the nearest float16 would often equal `got`.
    """

    points: int
    ulp: float
    at: tuple[float, ...]
    got: float
    want: float
    wrong: int
    violations: int

    def merged(self, other: "Found") -> "Found":
        """Return the figures of both together."""
        worst = self if not other.ulp > self.ulp else other
        return replace(
            worst,
            points=self.points + other.points,
            wrong=self.wrong + other.wrong,
            violations=self.violations + other.violations,
        )


NOTHING = Found(0, -1.0, (), 0.0, 0.0, 0, 0)


def measure(part: Part, subject: Subject = OURS) -> Found | None:
    """Return the figures of a part, None if the subject does not offer it."""
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
        found = figures(part, x, more, one_result(part, compute(*arranged(part.name, x, more))))
        if part.dtype == "float32" and more and part.label not in CONSTANTS:
            found = worse(part, found, arranged(part.name, x, more), compute)
        return found


def one_result(part: Part, results: Any) -> np.ndarray:
    return np.asarray(results[part.result] if isinstance(results, tuple) else results)


def figures(part: Part, x: np.ndarray, more: tuple, results: np.ndarray) -> Found:
    """Return the figures of results for operands x and, for some modes, more."""
    with np.errstate(all="ignore"):
        got = results.astype(np.float64)
        operands = np.stack([o.astype(np.float64) for o in arranged(part.name, x, more)])
    measured = by_mpmath if part.dtype == "float64" else by_float64
    return replace(measured(part, operands, got), violations=violations(part, x, got))


def worse(part: Part, found: Found, drawn: tuple, compute: Compute) -> Found:
    """Return the figures with the worst operands that climbing finds."""

    def measured(*operands: np.ndarray) -> Found:
        got = one_result(part, compute(*operands)).astype(np.float64)
        return by_float64(part, np.stack(operands).astype(np.float64), got)

    worst = climbed(found, list(drawn), measured)
    return replace(found, ulp=worst.ulp, at=worst.at, got=worst.got, want=worst.want)


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
    """Return how many neighbours are in the wrong order, if the function is increasing."""
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
        # these are not promised to be nearest, and products with powers of two have millions of ties
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
    error = unit.error(got, truth, scale)
    wrong = int(got != unit.nearest(truth))
    want = UNITS["float64"].nearest(truth)
    return Found(1, error, tuple(map(float, operands)), got, want, wrong, 0)


def measure_all(
    work: list[Part], jobs: int, done: Callable[[], Any], subject: Subject
) -> Generator[tuple[Part, Found | None], None, None]:
    """Measure parts in order, on `jobs` processes."""
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
