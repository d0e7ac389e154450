"""log1mexp and softplus_inverse, logarithms of abs(exp(x) - 1), and their first derivatives.

Of float32 and float64 results; those that are rounded again are computed in two parts (`log1mexp`), as are
derivatives that are multiplied by a cotangent, whose arguments go further.

Whether the exponent is x or -x is selected before the one exponential, so that one logarithm follows it.
exp(x) - 1 = (2^n - 1) + 2^n r + 2^n (exp(r) - 1 - r), whose first two terms are exact. Its rounded sum only
gives the logarithm's exponent k; f = 2^-k abs(exp(x) - 1) - 1 is summed from the terms times 2^-k. So f keeps
its relative accuracy where the logarithm vanishes: at x = ln(2), where n is 1 and k is 0 and the first terms
add to 0, and for large negative x, where they add to -2^n.

With z = f / (2 + f), log(1 + f) = 2 atanh(z) = f - z (f - 2 z^2 T(z^2)), T the tail of atanh: what the
quotient's rounding changes is small beside f.

The derivatives are quotients by the same difference, so that they need no other exponential. The reciprocal
of the difference is corrected by its residual, which includes the rounding error of the difference.
"""

from gpu_sigmoid.formulas.coefficients import ATANH_TAIL_LOGIT, EXPM1_TAIL, LN2_HIGH, LN2_LOW, LOG2_E
from gpu_sigmoid.formulas.exponential import SIGNIFICAND_BITS, reduced, rounding_constant
from gpu_sigmoid.formulas.logarithm import RECIPROCAL_SCALE, SCALE, exponent
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits, if_float32, polynomial, where

# The exponent of SCALE: subnormal differences and exponentials are normal when multiplied by it.
ROUND_SCALED = rounding_constant(32, 64)
TWICE_ATANH_TAIL = 2.0 * ATANH_TAIL_LOGIT

# exp(x) is less than half the least subnormal number.
LOWEST = Constant(float32=-105.0, float64=-746.0)
# From here down log(1 - e) = -e - e^2 / 2, and 1 - e is still exact.
QUADRATIC = Constant(float32=-16.0, float64=-36.0)
# From here on 1 - exp(-x) has the exponent k = 0.
NEAR = Constant(float32=1.25, float64=1.25)
# log(1 - exp(-x)) is nothing to x.
NOTHING_TO_X = Constant(float32=-40.0, float64=-40.0)


def log1mexp_of_negative(x):
    """log(1 - exp(x)) for x < 0, and its derivative exp(x) / (exp(x) - 1)"""
    power, n, bounded = scaled_power(x, LOWEST)
    r, r_low = reduced(bounded, -0.0, n)
    linear = power * r
    tail = power * expm1_tail(r, r_low)
    difference = SCALE - power
    partial = difference - linear
    expm1 = partial - tail
    k, s = exponent(expm1)
    near = logarithm(k, -s, fma(s, difference, -1.0), linear, tail)

    is_far = x < QUADRATIC
    e = power + (linear + tail)
    scaled = e * RECIPROCAL_SCALE
    value = where(is_far, fma(e, 0.5 * scaled, e) * -RECIPROCAL_SCALE, near)

    # 1 / (1 - exp(x)) - 1: to subtract 1 from the reciprocal is exact; elsewhere e + e^2
    expm1_low = ((difference - partial) - linear) + ((partial - expm1) - tail)
    y = 1.0 / expm1
    correction = fma(-y, expm1_low, fma(-y, expm1, 1.0))
    quotient = fma(y, correction, y - RECIPROCAL_SCALE)
    far = fma(e, scaled, e)
    return value, where(is_far, far, quotient) * where(is_far, -RECIPROCAL_SCALE, -SCALE)


def softplus_inverse_of_positive(x):
    """log(exp(x) - 1) for x > 0, for larger x x + log(1 - exp(-x)); and its derivative 1 / (1 - exp(-x)).

    For the smaller x the derivative is 1 + 1 / (exp(x) - 1).
    """
    is_near = x < NEAR
    power, n, bounded = scaled_power(where(is_near, x, -x), NOTHING_TO_X)
    # what is left of ln(2) may be added to the exponential, since n is small where it matters
    r = fma(-n, LN2_HIGH, bounded)
    linear = power * r
    tail = power * expm1_tail(r, n * -LN2_LOW)
    difference = power - SCALE
    partial = difference + linear
    expm1 = partial + tail
    k, magnitude = exponent(abs(expm1))
    s = where(is_near, magnitude, -magnitude)
    log = logarithm(k, s, fma(s, difference, -1.0), linear, tail)
    value = where(is_near, log, x + log)

    # `partial` is exact where the rounding of expm1 matters most
    expm1_low = (partial - expm1) + tail
    y = 1.0 / expm1
    q = fma(y, fma(-y, expm1_low, fma(-y, expm1, 1.0)), y)
    return value, fma(q, where(is_near, SCALE, -SCALE), where(is_near, 1.0, 0.0))


def scaled_power(x, lowest):
    """SCALE * 2^n, n, and x bounded by `lowest`; n is the integer nearest to x / ln(2)."""
    bounded = where(x < lowest, lowest, x)
    shifted = fma(bounded, LOG2_E, ROUND_SCALED)
    return from_bits(bits(shifted) << SIGNIFICAND_BITS), shifted - ROUND_SCALED, bounded


def expm1_tail(r, r_low):
    """exp(r + r_low) - 1 - r"""
    return fma(r * r, polynomial(r, EXPM1_TAIL), r_low)


def logarithm(k, s, start, linear, tail):
    """k ln(2) + log(1 + f), f = start + s * linear + s * tail.

    In float32, LN2_HIGH is so near to ln(2) that the rest is nothing to the product with k.
    """
    partial = fma(s, linear, start)
    f = fma(s, tail, partial)
    # float32 is within its bound without the first sum's rounding
    rest = if_float32(partial - f, (partial - f) + fma(s, linear, start - partial))
    f_low = fma(s, tail, rest)
    z = f / (f + 2.0)
    less = fma(-(z * z), polynomial(z * z, TWICE_ATANH_TAIL), f)
    low = fma(-z, less, if_float32(f_low, fma(k, LN2_LOW, f_low)))
    return fma(k, LN2_HIGH, f + low)
