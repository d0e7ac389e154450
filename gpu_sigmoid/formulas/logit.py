"""The logit, which rests on log."""

from gpu_sigmoid.formulas.coefficients import ATANH_TAIL_LOGIT, LN2_HIGH, LN2_LOW
from gpu_sigmoid.formulas.double_double import multiply, odd_if_narrowed, round_to_odd
from gpu_sigmoid.formulas.exponential import SIGNIFICAND_BITS
from gpu_sigmoid.lowering.constants import INFINITY, NAN, Constant
from gpu_sigmoid.lowering.language import (
    bits,
    fma,
    from_bits,
    if_narrowed,
    if_weighted,
    polynomial,
    times_cotangent,
    where,
)

# The argument is carried times SCALE: its odds and their reciprocal stay normal numbers.
SCALE = Constant(float32="0x1p32", float64="0x1p64")
RECIPROCAL_SCALE = Constant(float32="0x1p-32", float64="0x1p-64")
# The bits of a number just below what the reduced odds start from, about 0.7.
ODDS_LOW_BITS = Constant(float32=0x3F300000, float64=0x3FE6 << 48)
# An exponent is kept positive by adding a half of the exponents' range.
OFFSET_BITS = Constant(float32=128 << 23, float64=1024 << 52)
BIAS_AND_OFFSET_BITS = Constant(float32=(127 + 128) << 23, float64=(1023 + 1024) << 52)
EXPONENT_MASK = Constant(float32=0xFF800000, float64=0xFFF << 52)
# 1.5 * 2^23 (2^52), which holds an integer in its low bits.
INTEGER_HOLDER = Constant(float32="0x1.8p23", float64="0x1.8p52")
INTEGER_HOLDER_BITS = Constant(float32=0x4B400000, float64=0x4338 << 48)
# The offset and the exponent of SCALE.
OFFSET_AND_SCALE_EXPONENT = Constant(float32=128.0 + 32.0, float64=1024.0 + 64.0)
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

    # k is the odds' binary exponent, counted from ODDS_LOW_BITS; requires odds > 0
    odds = scaled * fma(m, 1.0 + m, 1.0)
    offset_bits = bits(odds) - ODDS_LOW_BITS + OFFSET_BITS
    offset_k = from_bits((offset_bits >> SIGNIFICAND_BITS) + INTEGER_HOLDER_BITS) - INTEGER_HOLDER
    k = offset_k - OFFSET_AND_SCALE_EXPONENT
    s = from_bits(BIAS_AND_OFFSET_BITS - (offset_bits & EXPONENT_MASK))
    z = fma(scaled, s + RECIPROCAL_SCALE, -1.0) / fma(scaled, s - RECIPROCAL_SCALE, 1.0)
    high = k * LN2_HIGH
    high_low = fma(k, LN2_LOW, fma(k, LN2_HIGH, -high))
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

    # from x itself, whichever half it is in: rounded once here and once in its reciprocal (corrected
    # it would be the nearest float, in twice the time)
    scaled_x = x * SCALE
    quick_variance = fma(-scaled_x, x, scaled_x)
    unscaled = if_narrowed(round_to_odd(derivative, derivative_low), 1.0 / quick_variance)
    # A product with a cotangent may be finite where the derivative is not: where the quotient is large,
    # the cotangent is multiplied in before the scale. Elsewhere the product could be subnormal then.
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
