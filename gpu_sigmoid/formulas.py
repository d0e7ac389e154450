"""Every formula, once.

A public formula takes its arguments and returns its jet: the value, the first and the
second derivative with respect to the first argument. A kernel takes the components it
needs and the compiler drops the rest. What may stand in a formula is said in
`gpu_sigmoid.lowering.subset`; how the result of each operation is the same on every
target, in `gpu_sigmoid.primitives`.

All of the family but `logit` rest on e = exp(-abs(x)), which cannot overflow, and on
q = e / (1 + e), the sigmoid's distance to its nearer limit. Both are carried times
SCALE, a power of two, so that results below the smallest normal number are rounded only
once, when the last operation takes the scale back.
"""

from gpu_sigmoid.coefficients import (
    ATANH_TAIL,
    EXPM1_TAIL,
    LN2_HIGH,
    LN2_LOW,
    LOG1P_TAIL,
    LOG2_E,
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOW,
    SILU_MINIMUM_SLOPE,
)
from gpu_sigmoid.constants import Constant
from gpu_sigmoid.language import bits, fma, from_bits, polynomial, rounded, where

INFINITY = Constant(float32="inf", float64="inf")
NAN = Constant(float32="nan", float64="nan")

MANTISSA_BITS = Constant(float32=23, float64=52)

# Adding it rounds to an integer, which then stands in the low bits.
ROUNDER = Constant(float32="0x1.8p23", float64="0x1.8p52")
ROUNDER_BITS = Constant(float32=0x4B400000, float64=0x4338 << 48)

UNSCALE = Constant(float32="0x1p-64", float64="0x1p-512")
# The exponent field of SCALE. The bits of ROUNDER above it are shifted out.
SCALE_FIELD = Constant(float32=127 + 64, float64=1023 + 512)

# From here on even x * exp(-x) rounds to zero.
NEGLIGIBLE_FROM = Constant(float32=110.0, float64=760.0)


def exp_scaled(magnitude):
    """SCALE * exp(-magnitude) as an unevaluated sum high + low.

    exp(-magnitude) = 2^n * exp(r) with n an integer and abs(r) <= ln(2)/2. The parts of
    r and of exp(r) below the last place are kept: what is left is an error of about
    2^-4 units in the last place.
    """
    shifted = fma(-magnitude, LOG2_E, ROUNDER)
    n = shifted - ROUNDER
    nearly = fma(-n, LN2_HIGH, -magnitude)  # exact: a multiple of the last place of ln(2)/2
    r = fma(-n, LN2_LOW, nearly)
    r_low = fma(-n, LN2_LOW, nearly - r)
    above_one = 1.0 + r
    low = fma(r_low, above_one, r - (above_one - 1.0))
    tail = fma(r * r, polynomial(r, EXPM1_TAIL), low)
    high = above_one + tail
    power = from_bits((bits(shifted) + SCALE_FIELD) << MANTISSA_BITS)
    return power * high, power * (tail - (high - above_one))


def clamp(magnitude):
    """The magnitude, bounded so that exponents stay in range; nan stays nan."""
    return where(magnitude > NEGLIGIBLE_FROM, NEGLIGIBLE_FROM, magnitude)


def logistic(e, e_low):
    """q = e / (1 + e), 1 - q, the slope q (1 - q) and 1 - 2 q; q and slope times SCALE.

    What each operation loses is kept and put back, so that all are within 0.8 units in
    the last place.
    """
    d = fma(e, UNSCALE, 1.0)
    d_low = fma(e_low, UNSCALE, fma(e, UNSCALE, 1.0 - d))
    reciprocal = 1.0 / d
    q0 = e * reciprocal
    correction = fma(-q0, d_low, fma(-q0, d, e) + e_low) * reciprocal
    q = q0 + correction
    q_low = correction - (q - q0)

    rest = fma(-q, UNSCALE, 1.0)
    rest_low = fma(-q_low, UNSCALE, fma(-q, UNSCALE, 1.0 - rest))
    slope_correction = fma(q, rest_low, q_low * rest)
    slope = fma(q, rest, slope_correction)
    slope_low = fma(q, rest, -slope) + slope_correction

    gap = fma(-e, UNSCALE, 1.0)
    gap_low = fma(-e_low, UNSCALE, fma(-e, UNSCALE, 1.0 - gap))
    tanh_half = fma(gap, rest, fma(gap, rest_low, gap_low * rest))
    return rounded(q, q_low), rounded(rest, rest_low), rounded(slope, slope_low), tanh_half


def log1p_exp(e, e_low):
    """log(1 + e), times SCALE."""
    h = e * UNSCALE * polynomial(e * UNSCALE, LOG1P_TAIL)
    return e + fma(-e, h, e_low)


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    e, e_low = exp_scaled(clamp(abs(x)))
    q, rest, slope, tanh_half = logistic(e, e_low)
    curvature = slope * tanh_half
    value = where(x < 0.0, q * UNSCALE, rest)
    return value, slope * UNSCALE, where(x < 0.0, curvature, -curvature) * UNSCALE


def log_sigmoid(x):
    """-log(1 + exp(-x)); -0.0 at infinity"""
    e, e_low = exp_scaled(clamp(abs(x)))
    q, rest, slope, _ = logistic(e, e_low)
    value = fma(-log1p_exp(e, e_low), UNSCALE, where(x > 0.0, 0.0, x))
    grad = where(x > 0.0, q * UNSCALE, rest)
    return value, grad, -slope * UNSCALE


def softplus(x):
    """log(1 + exp(x))"""
    e, e_low = exp_scaled(clamp(abs(x)))
    q, rest, slope, _ = logistic(e, e_low)
    value = fma(log1p_exp(e, e_low), UNSCALE, where(x < 0.0, 0.0, x))
    grad = where(x < 0.0, q * UNSCALE, rest)
    return value, grad, slope * UNSCALE


def silu(x):
    """x / (1 + exp(-x)); -0.0 at -infinity

    With a = -abs(x): silu'(a) = q (1 - q) (1 + a + e) and silu'(-a) = 1 - silu'(a).
    The factor 1 + a + e vanishes at silu's minimum; a fit around that zero keeps its
    relative accuracy there.
    """
    magnitude = clamp(abs(x))
    e, e_low = exp_scaled(magnitude)
    q, _, slope, tanh_half = logistic(e, e_low)
    value = where(x < 0.0, -magnitude * q * UNSCALE, fma(-magnitude, q * UNSCALE, x))

    from_minimum = (-magnitude - SILU_MINIMUM_HIGH) - SILU_MINIMUM_LOW
    factor = fma(e_low, UNSCALE, fma(e, UNSCALE, 1.0 - magnitude))
    below = (-magnitude - SILU_MINIMUM_HIGH) - from_minimum - SILU_MINIMUM_LOW
    near = from_minimum + fma(from_minimum, polynomial(from_minimum, SILU_MINIMUM_SLOPE), below)
    left = slope * where(abs(from_minimum) < 0.0625, near, factor)
    grad = where(x < 0.0, left * UNSCALE, fma(-left, UNSCALE, 1.0))
    return value, grad, slope * fma(-magnitude, tanh_half, 2.0) * UNSCALE


def bce_with_logits(x, target):
    """log(1 + exp(x)) - x * target

    = log(1 + e) + abs(x) * miss, where miss, the target's distance to the side x is
    on, is not negative for a target in [0, 1]: nothing cancels.
    """
    e, e_low = exp_scaled(clamp(abs(x)))
    q, _, slope, _ = logistic(e, e_low)
    miss = where(x < 0.0, target, 1.0 - target)
    # an infinite logit on the right side costs nothing
    linear = where(miss == 0.0, 0.0, abs(x) * miss)
    value = fma(log1p_exp(e, e_low), UNSCALE, linear)
    grad = where(x < 0.0, fma(q, UNSCALE, -target), fma(-q, UNSCALE, 1.0 - target))
    return value, grad, slope * UNSCALE


# logit brings a tiny argument up by this power of two before it takes it apart.
LIFT = Constant(float32="0x1p32", float64="0x1p64")
LIFT_EXPONENT = Constant(float32=32.0, float64=64.0)
LIFT_BELOW = Constant(float32="0x1p-94", float64="0x1p-958")
# The reduced odds lie above about 0.7; an exponent's count is kept positive.
ODDS_LOW_BITS = Constant(float32=0x3F300000, float64=0x3FE6 << 48)
EXPONENT_OFFSET_BITS = Constant(float32=128 << 23, float64=1024 << 52)
BIAS_AND_OFFSET_BITS = Constant(float32=(127 + 128) << 23, float64=(1023 + 1024) << 52)
EXPONENT_OFFSET = Constant(float32=128.0, float64=1024.0)
EXPONENT_MASK = Constant(float32=0xFF800000, float64=0xFFF << 52)


def logit(p):
    """log(p / (1 - p)); nan outside [0, 1]

    With m the nearer of p and 1 - p (exact), log(m / (1 - m)) is
    k ln(2) + 2 atanh(z), z = (s m - (1 - m)) / (s m + (1 - m)), s = 2^-k, where k
    brings the odds near 1. At k = 0 the numerator is 2 m - 1, exact: full relative
    accuracy near one half.
    """
    low_side = p <= 0.5
    m = where(low_side, p, 1.0 - p)
    tiny = m < LIFT_BELOW
    lifted = where(tiny, m * LIFT, m)

    odds = lifted * fma(lifted, 1.0 + lifted, 1.0)
    count = bits(odds) - ODDS_LOW_BITS + EXPONENT_OFFSET_BITS
    k = from_bits((count >> MANTISSA_BITS) + ROUNDER_BITS) - ROUNDER - EXPONENT_OFFSET
    s = from_bits(BIAS_AND_OFFSET_BITS - (count & EXPONENT_MASK))
    z = fma(lifted, s + 1.0, -1.0) / fma(lifted, s - 1.0, 1.0)
    k_total = k - where(tiny, LIFT_EXPONENT, 0.0)
    high = k_total * LN2_HIGH
    rest = fma(k_total, LN2_LOW, fma(k_total, LN2_HIGH, -high))
    double = z + z
    log_odds = high + fma(double * (z * z), polynomial(z * z, ATANH_TAIL), double + rest)
    value = where(m == 0.0, -INFINITY, log_odds)

    product = fma(-lifted, m, lifted)
    product_low = fma(-lifted, m, lifted - product)
    rough = 1.0 / product
    refined = fma(rough, fma(-rough, product_low, fma(-rough, product, 1.0)), rough)
    grad = where(m == 0.0, INFINITY, where(tiny, refined * LIFT, refined))
    centred = fma(2.0, p, -1.0)
    partial = centred * grad
    partial_low = fma(centred, grad, -partial) + fma(2.0, p, -1.0 - centred) * grad
    # a tiny argument's gradient may be infinite, and nothing is lost beside it
    curvature = fma(partial, grad, where(tiny, 0.0, partial_low * grad))
    return (
        where(m < 0.0, NAN, where(low_side, value, -value)),
        where(m < 0.0, NAN, grad),
        where(m < 0.0, NAN, curvature),
    )
