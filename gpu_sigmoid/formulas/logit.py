"""The logit, the logarithm of the odds.

The argument is multiplied by SCALE, so that its odds and their reciprocal stay normal numbers.
"""

from gpu_sigmoid.formulas.coefficients import ATANH_TAIL_LOGIT
from gpu_sigmoid.formulas.double_double import multiply, odd_if_narrowed, round_to_odd
from gpu_sigmoid.formulas.logarithm import RECIPROCAL_SCALE, SCALE, exponent, times_ln2
from gpu_sigmoid.lowering.constants import INFINITY, NAN, Constant
from gpu_sigmoid.lowering.language import fma, if_narrowed, if_weighted, polynomial, times_cotangent, where

LARGE_QUOTIENT_BELOW = Constant(float32="0x1p-60", float64="0x1p-500")
GRAD2_OVERFLOWS_BELOW = Constant(float32="0x1p-70", float64="0x1p-520")


def logit(x):
    """log(x / (1 - x)); nan outside [0, 1]

    With m the nearer of x and 1 - x (exact), log(m / (1 - m)) is
    k ln(2) + 2 atanh(z), z = (s m - (1 - m)) / (s m + (1 - m)), s = 2^-k, where k
    brings the odds near 1. At k = 0 the numerator is 2 m - 1, exact: full relative
    accuracy near one half.
    """
    left_half = x <= 0.5
    m = where(left_half, x, 1.0 - x)
    scaled = m * SCALE

    # the odds, accurate enough for their exponent
    k, s = exponent(scaled * fma(m, 1.0 + m, 1.0))
    z = fma(scaled, s + RECIPROCAL_SCALE, -1.0) / fma(scaled, s - RECIPROCAL_SCALE, 1.0)
    high, high_low = times_ln2(k)
    twice = z + z
    log_low = fma(twice * (z * z), polynomial(z * z, ATANH_TAIL_LOGIT), twice + high_low)
    log = high + log_low
    value = where(m == 0.0, -INFINITY, odd_if_narrowed(log, (high - log) + log_low))

    # 1 / (m (1 - m)) as a double-double
    variance = fma(-scaled, m, scaled)
    variance_low = fma(-scaled, m, scaled - variance)
    y = 1.0 / variance
    correction = fma(-y, variance_low, fma(-y, variance, 1.0))
    derivative = fma(y, correction, y)
    derivative_low = fma(y, correction, y - derivative)

    # from x itself, in either half: rounded once here and once in its reciprocal (with a correction it
    # would be the nearest float, in twice the time)
    scaled_x = x * SCALE
    quick_variance = fma(-scaled_x, x, scaled_x)
    unscaled = if_narrowed(round_to_odd(derivative, derivative_low), 1.0 / quick_variance)
    # A product with a cotangent may be finite although the derivative is not. So if the quotient is large,
    # the cotangent is multiplied in before the scale; otherwise the product could be subnormal then.
    is_small = quick_variance < LARGE_QUOTIENT_BELOW
    early = times_cotangent(where(is_small, unscaled, unscaled * SCALE)) * where(is_small, SCALE, 1.0)
    grad = if_weighted(early, unscaled * SCALE)
    infinite_grad = times_cotangent(INFINITY)

    centred = fma(2.0, x, -1.0)
    centred_low = fma(2.0, x, -1.0 - centred)
    partial, partial_low = multiply(centred, centred_low, derivative, derivative_low)
    second, second_low = multiply(partial, partial_low, derivative, derivative_low)
    overflows = m < GRAD2_OVERFLOWS_BELOW
    grad2 = where(overflows, -INFINITY, odd_if_narrowed(second, second_low) * SCALE * SCALE)
    return (
        where(m < 0.0, NAN, where(left_half, value, -value)),
        where(quick_variance > 0.0, grad, where(quick_variance == 0.0, infinite_grad, NAN)),
        where(m < 0.0, NAN, where(overflows, where(left_half, grad2, -grad2), grad2)),
    )
