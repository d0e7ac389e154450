"""The building blocks of the references, in forms that do not cancel."""

import math

import numba
import numpy as np
from mpmath import exp as mp_exp
from mpmath import findroot, mp, mpf

# Below this, the second term of a series is beyond float64, and the third beyond that.
TINY = 2.0**-54


def _expansion() -> tuple[float, float, np.ndarray]:
    """Return the zero of silu' in two parts, and its Taylor coefficients there."""
    with mp.workdps(50):
        zero = findroot(lambda x: 1 + x + mp_exp(x), mpf("-1.278"))
        s = lambda x: 1 / (1 + mp_exp(-x))  # noqa: E731
        terms = mp.taylor(lambda x: s(x) * (1 + x * (1 - s(x))), zero, 22)
        return float(zero), float(zero - mpf(float(zero))), np.array([float(t) for t in terms[1:]])


SILU_MINIMUM_HIGH, SILU_MINIMUM_LOW, AROUND_SILU_MINIMUM = _expansion()

LN2 = math.log(2.0)
with mp.workdps(50):
    LN2_LOW = float(mp.ln(2) - mpf(LN2))

jit = numba.njit(nogil=True, error_model="numpy")


@jit
def s(x):
    e = math.exp(-abs(x))
    return e / (1.0 + e) if x < 0.0 else 1.0 / (1.0 + e)


@jit
def slope(x):
    e = math.exp(-abs(x))
    return e / ((1.0 + e) * (1.0 + e))


@jit
def log1p_exp(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
