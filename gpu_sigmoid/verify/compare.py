"""Results of at most 32 bits against the float64 reference, in one compiled loop."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

from gpu_sigmoid.verify.reference import ERROR, REFERENCES
from gpu_sigmoid.verify.units import Unit

# How near to the middle of two neighbours, in units in the last place, float64 leaves it open.
OPEN = 2.0**-24
assert OPEN > 2 * ERROR * 2.0**24


@cache
def comparison(name: str, component: str) -> Callable[..., tuple[float, int, int, int]]:
    """Return the loop for a component.

    It takes operands, results (in float64), the unit's precision, least exponent and
    largest number, and an array for the indices of results whose rounding is open; it
    returns the largest error in units in the last place and its index, how many are
    wrongly rounded for sure, and how many are open.
    """
    evaluate = REFERENCES[name, component]
    binary = name == "bce_with_logits"

    @numba.njit(nogil=True, error_model="numpy")
    def compare(
        x: Any, t: Any, got: Any, precision: int, least: int, largest: float, open_at: Any
    ) -> tuple[float, int, int, int]:
        worst, worst_at, wrong, open_count = -1.0, 0, 0, 0
        for i in range(len(x)):
            if binary:
                high, low, scale = evaluate(x[i], t)
            else:
                high, low, scale = evaluate(x[i])
            y = got[i]
            unit = math.ldexp(1.0, max(math.frexp(high)[1] - precision, least))
            if math.isinf(y):
                if abs(high) >= largest + unit / 2.0 and (y > 0.0) == (high > 0.0):
                    continue
                # overflow too early is an error of as much as it takes
                y = math.copysign(largest + unit, y)
            distance = abs(y - high)
            own = distance / unit
            error = own
            if scale > abs(high):
                error = distance / math.ldexp(1.0, max(math.frexp(scale)[1] - precision, least))
            if y != y:
                error = math.inf
            if error > worst:
                worst, worst_at = error, i
            if own > 0.5 + OPEN or own != own:
                wrong += 1
            elif own > 0.5 - OPEN:
                # exact: the operands are within a factor of two of each other
                excess = (distance - unit / 2.0) - (low if y > high else -low)
                if low != 0.0 and excess != 0.0:
                    wrong += excess > 0.0
                else:
                    if open_count < len(open_at):
                        open_at[open_count] = i
                    open_count += 1
        return worst, worst_at, wrong, open_count

    return compare


def largest(unit: Unit) -> float:
    """Return the largest number of a format."""
    return float(np.ldexp(2.0 - 2.0 ** (1 - unit.precision), unit.overflow - 1))
