"""The logit, which rests on log."""

from gpu_sigmoid.formulas.coefficients import ATANH_TAIL_LOGIT, LN2_HIGH, LN2_LOW
from gpu_sigmoid.formulas.parts import MANTISSA_BITS, product, rounded
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits, if_narrowed, polynomial, where

INFINITY = Constant(float32="inf", float64="inf")
NAN = Constant(float32="nan", float64="nan")

# logit carries its argument times LIFT: its odds and their reciprocal stay normal.
LIFT = Constant(float32="0x1p32", float64="0x1p64")
UNLIFT = Constant(float32="0x1p-32", float64="0x1p-64")
# The reduced odds lie above about 0.7; an exponent's count is kept positive.
ODDS_LOW_BITS = Constant(float32=0x3F300000, float64=0x3FE6 << 48)
COUNT_OFFSET_BITS = Constant(float32=128 << 23, float64=1024 << 52)
BIAS_AND_OFFSET_BITS = Constant(float32=(127 + 128) << 23, float64=(1023 + 1024) << 52)
EXPONENT_MASK = Constant(float32=0xFF800000, float64=0xFFF << 52)
# Holds a count in its low bits.
COUNTER = Constant(float32="0x1.8p23", float64="0x1.8p52")
COUNTER_BITS = Constant(float32=0x4B400000, float64=0x4338 << 48)
# The count's offset and the lift's exponent.
COUNT_OF_ONE = Constant(float32=128.0 + 32.0, float64=1024.0 + 64.0)
# Below, the second derivative overflows.
CURVED_FROM = Constant(float32="0x1p-70", float64="0x1p-520")


def logit(p):
    """log(p / (1 - p)); nan outside [0, 1]

    With m the nearer of p and 1 - p (exact), log(m / (1 - m)) is
    k ln(2) + 2 atanh(z), z = (s m - (1 - m)) / (s m + (1 - m)), s = 2^-k, where k
    brings the odds near 1. At k = 0 the numerator is 2 m - 1, exact: full relative
    accuracy near one half.
    """
    low_side = p <= 0.5
    m = where(low_side, p, 1.0 - p)
    lifted = m * LIFT

    odds = lifted * fma(m, 1.0 + m, 1.0)
    count = bits(odds) - ODDS_LOW_BITS + COUNT_OFFSET_BITS
    k = from_bits((count >> MANTISSA_BITS) + COUNTER_BITS) - COUNTER - COUNT_OF_ONE
    s = from_bits(BIAS_AND_OFFSET_BITS - (count & EXPONENT_MASK))
    z = fma(lifted, s + UNLIFT, -1.0) / fma(lifted, s - UNLIFT, 1.0)
    high = k * LN2_HIGH
    high_low = fma(k, LN2_LOW, fma(k, LN2_HIGH, -high))
    double = z + z
    log_low = fma(double * (z * z), polynomial(z * z, ATANH_TAIL_LOGIT), double + high_low)
    log = high + log_low
    value = where(m == 0.0, -INFINITY, rounded(log, (high - log) + log_low))

    parabola = fma(-lifted, m, lifted)
    parabola_low = fma(-lifted, m, lifted - parabola)
    y = 1.0 / parabola
    correction = fma(-y, parabola_low, fma(-y, parabola, 1.0))
    slope = fma(y, correction, y)
    slope_low = fma(y, correction, y - slope)

    # of p itself, no side chosen: rounded once here and once in its reciprocal (corrected it
    # would be the nearest float, in twice the time)
    lifted_p = p * LIFT
    variance = fma(-lifted_p, p, lifted_p)
    grad = if_narrowed(rounded(slope, slope_low), 1.0 / variance) * LIFT

    centred = fma(2.0, p, -1.0)
    partial, partial_low = product(centred, fma(2.0, p, -1.0 - centred), slope, slope_low)
    bend, bend_low = product(partial, partial_low, slope, slope_low)
    curvature = where(m < CURVED_FROM, -INFINITY, rounded(bend, bend_low) * LIFT * LIFT)
    return (
        where(m < 0.0, NAN, where(low_side, value, -value)),
        where(variance > 0.0, grad, where(variance == 0.0, INFINITY, NAN)),
        where(m < 0.0, NAN, where(m < CURVED_FROM, where(low_side, curvature, -curvature), curvature)),
    )
