"""Every 16-bit x beside every 16-bit second operand.

There are a billion pairs for each mode. The parts of the reference that depend only on x are computed once
for each x, by mpmath, as a double-double (a sum of two float64), and each pair then takes a few operations.
Their error is far below the distance of any result from the middle of two 16-bit neighbours, so that no pair
is undecided.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from mpmath import exp, log1p, mp, mpf

from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.verify.beside import ALL_MANTISSAS, ALL_PAIRS
from gpu_sigmoid.verify.compare import WRONG, judged
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.exact import arranged, bits_needed, exact
from gpu_sigmoid.verify.inputs import all_of
from gpu_sigmoid.verify.reference.elementary import jit
from gpu_sigmoid.verify.terms import s


@jit
def two_sum(a: float, b: float) -> tuple[float, float]:
    """Return the rounded sum and its error, which is exact (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@jit
def bce_value(log_high: float, log_low: float, x: float, t: float) -> tuple[float, float, float]:
    # products of two 16-bit numbers are exact
    if x < 0.0:
        linear, linear_low = -x * t, 0.0
    else:
        linear, linear_low = two_sum(x, -x * t)
    total, error = two_sum(linear, log_high)
    high, low = two_sum(total, error + (linear_low + log_low))
    return high, low, 0.0


@jit
def bce_grad(s_high: float, s_low: float, x: float, t: float) -> tuple[float, float, float]:
    difference, error = two_sum(s_high, -t)
    high, low = two_sum(difference, error + s_low)
    return high, low, max(s_high, t) if 0.0 < t < 1.0 else 0.0


@jit
def product(high: float, low: float, x: float, c: float) -> tuple[float, float, float]:
    return c * high, c * low, 0.0


def of_x(name: str, mode: str, result: int) -> Callable[[mpf], mpf]:
    """Return the numbers that the reference for pairs needs for x."""
    if DEFINITIONS[name].factor:
        return lambda x: exact(name, mode, *arranged(name, x, (1.0,)), result=result)[0]
    if mode == "vjp":
        return lambda x: exact(name, "grad", x)[0]
    # for a logarithm below float64's range it only matters that it is positive
    return {"value": lambda x: max(log1p(exp(-abs(x))), mpf(1e-300)), "grad": s}[mode]


PAIR: dict[tuple[str, str], Callable] = {
    (ALL_PAIRS, "value"): bce_value,
    (ALL_PAIRS, "grad"): bce_grad,
    **{(ALL_MANTISSAS, mode): product for mode in MEASURED},
}
"""The reference of a pair, by the label of `beside` and the mode."""


@cache
def second_operands(label: str, dtype: str) -> np.ndarray:
    """Return the 16-bit numbers of a label of `beside`."""
    low, high = (1.0, 2.0) if label == ALL_MANTISSAS else (0.0, 1.0)
    everything = all_of(dtype)
    with np.errstate(invalid="ignore"):
        return everything[(everything >= low) & (everything <= high)]


def double_doubles(name: str, mode: str, x: np.ndarray, result: int = 0) -> np.ndarray:
    """Return `of_x` for each x, as a row of high parts and a row of low parts."""
    evaluate = of_x(name, mode, result)
    rows = np.empty((2, len(x)))
    for i, number in enumerate(x):
        with mp.workprec(bits_needed(mpf(float(number)))):
            value = evaluate(mpf(float(number)))
            rows[:, i] = float(value), float(value - mpf(float(value)))
    return rows


@cache
def pair_comparison(label: str, mode: str) -> Callable[..., tuple[int, int, int]]:
    """Return the loop over pairs: the indices of the largest error, and how many are wrongly rounded."""
    evaluate = PAIR[label, mode]

    @jit
    def compare(
        parts: Any, x: Any, second: Any, got: Any, precision: int, least: int, largest: float
    ) -> tuple[int, int, int]:
        worst, worst_row, worst_column, wrong = -1.0, 0, 0, 0
        for i in range(len(x)):
            for j in range(len(second)):
                high, low, scale = evaluate(parts[0, i], parts[1, i], x[i], second[j])
                y = np.float64(got[i, j])
                error, verdict = judged(y, high, low, scale, precision, least, largest)
                wrong += verdict == WRONG
                if error > worst:
                    worst, worst_row, worst_column = error, i, j
        return worst_row, worst_column, wrong

    return compare
