"""Results of at most 32 bits against a float64 reference, in compiled loops."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gpu_sigmoid.verify.reference import ERROR, REFERENCES
from gpu_sigmoid.verify.reference.elementary import jit
from gpu_sigmoid.verify.units import Unit

# The distance to the middle of two neighbours, in units in the last place, that float64 cannot decide.
OPEN = 2.0**-24
assert OPEN > 2 * ERROR * 2.0**24

RIGHT, WRONG, UNDECIDED = 0, 1, 2


@jit
def last_place(size: float, precision: int, least: int) -> float:
    """Return the unit in the last place of a number, for a format as in `judged`."""
    # by the bits, since calls of frexp and ldexp would take as long as the rest
    exponent: Any = ((np.float64(size).view(np.int64) >> 52) & 0x7FF) - 1022
    return np.int64((max(exponent - precision, least) + 1023) << 52).view(np.float64)


@jit
def judged(
    y: float, high: float, low: float, scale: float, precision: int, least: int, largest: float
) -> tuple[float, int]:
    """Return a result's error in units in the last place, and whether it is the nearest number.

    `high`, `low` and `scale` are the results of a reference. The format is given by the bits of its
    significand, the exponent of its least number, and its largest number.
    """
    unit = last_place(high, precision, least)
    if math.isinf(y):
        if abs(high) >= largest + unit / 2.0 and (y > 0.0) == (high > 0.0):
            return 0.0, RIGHT
        # an overflow that comes too early counts as the distance to the overflow threshold
        y = math.copysign(largest + unit, y)
    distance = abs((y - high) - low)
    own = distance / unit
    if own != own:
        return math.inf, WRONG
    error = own
    if scale > abs(high):
        error = distance / last_place(scale, precision, least)
    if own > 0.5 + OPEN:
        return error, WRONG
    if own <= 0.5 - OPEN:
        return error, RIGHT
    # exact: the operands are within a factor of two of each other
    excess = (abs(y - high) - unit / 2.0) - (low if y > high else -low)
    if low == 0.0 or excess == 0.0:
        return error, UNDECIDED
    return error, WRONG if excess > 0.0 else RIGHT


@cache
def comparison(name: str, mode: str, result: int = 0) -> Callable[..., tuple[int, int, int]]:
    """Return the loop for a result of a mode.

    Its arguments are the operands (one per row) and results, in float64, the format as in `judged`, and an
    array for the indices of undecided results. It returns the index of the largest error, and how many
    results are certainly rounded wrongly, and how many are undecided.
    """
    results, count = REFERENCES[name, mode]
    evaluate = at_column(results[result], count)

    @jit
    def compare(
        operands: Any, got: Any, precision: int, least: int, largest: float, open_at: Any
    ) -> tuple[int, int, int]:
        worst, worst_at, wrong, open_count = -1.0, 0, 0, 0
        for i in range(len(got)):
            high, low, scale = evaluate(operands, i)
            error, verdict = judged(got[i], high, low, scale, precision, least, largest)
            if error > worst:
                worst, worst_at = error, i
            if verdict == WRONG:
                wrong += 1
            elif verdict == UNDECIDED:
                if open_count < len(open_at):
                    open_at[open_count] = i
                open_count += 1
        return worst_at, wrong, open_count

    return compare


def at_column(evaluate: Callable, count: int) -> Callable:
    """Return `evaluate` of `count` operands as a function of their array and a column's index."""
    if count == 1:
        return jit(lambda operands, i: evaluate(operands[0, i]))
    if count == 2:
        return jit(lambda operands, i: evaluate(operands[0, i], operands[1, i]))
    if count == 3:
        return jit(lambda operands, i: evaluate(operands[0, i], operands[1, i], operands[2, i]))
    return jit(lambda operands, i: evaluate(operands[0, i], operands[1, i], operands[2, i], operands[3, i]))


def limits(unit: Unit) -> tuple[int, int, float]:
    """Return a format in the form that `judged` takes."""
    return unit.precision, unit.least, float(np.ldexp(2.0 - 2.0 ** (1 - unit.precision), unit.overflow - 1))
