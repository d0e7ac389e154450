"""What the formulas have in common: the exponential, the logistic parts, log(1 + e).

All but `logit` rest on E = exp(magnitude) >= 1 and on one division by 1 + E. E may
overflow and what is divided by it underflow: E is carried times SHRINK, a power of
two, and the quotients divided by it, so that a result below the smallest normal number
is rounded only once, by the last operation, which multiplies by SHRINK.

A pair `a, a_low` stands for the unevaluated sum a + a_low, where abs(a_low) is about a
rounding error of a. Carrying the low part through the quotient costs a few additions
and brings the error from 2.4 units in the last place to under 0.9; without the
division's own error there would be nothing left to gain from a slower exponential.
The exponential as (1 + u) / (1 - u), u = tanh(r/2), shares its fraction with the
quotient: a tenth faster, but off by up to 1.27 units in float32.
"""

from gpu_sigmoid.formulas.coefficients import (
    ATANH_TAIL_LOG1P,
    EXPM1_TAIL,
    LN2_HIGH,
    LN2_LOW,
    LOG2_E,
    LOG_COSH,
)
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits, if_narrowed, polynomial, where

SHRINK = Constant(float32="0x1p-64", float64="0x1p-512")
TWICE_SHRINK = Constant(float32="0x1p-63", float64="0x1p-511")
HALF_SHRINK = Constant(float32="0x1p-65", float64="0x1p-513")
MANTISSA_BITS = Constant(float32=23, float64=52)
SIGN_BIT = Constant(float32=31, float64=63)


def rounder(bias):
    """What rounds a number to an integer n when added to it.

    The sum's low bits, shifted up by the mantissa's width, are SHRINK * 2^(n + bias).
    """
    return Constant(
        float32=float(3 * 2**22 + 127 - 64 + bias),
        float64=float(3 * 2**51 + 1023 - 512 + bias),
    )


EXPONENT_ROUNDER = rounder(0)
# Subtracting the bits of SHRINK * 2^n from it leaves those of 2^-n.
RECIPROCAL_BITS = Constant(float32=(2 * 127 - 64) << 23, float64=(2 * 1023 - 512) << 52)

# From here on even x * exp(-x) rounds to zero.
NEGLIGIBLE_FROM = Constant(float32=110.0, float64=760.0)


def bounded_magnitude(x):
    """abs(x), bounded so that exponents stay in range; nan stays nan."""
    return where(abs(x) > NEGLIGIBLE_FROM, NEGLIGIBLE_FROM, abs(x))


def exp_parts(magnitude):
    """power, r, growth with SHRINK * exp(magnitude) = power * (1 + r * growth), and its low part.

    exp(magnitude) = 2^n * exp(r) with n an integer and abs(r) <= ln(2)/2. The low part
    is what the rounding of r and of growth has lost, times power.
    """
    n, power = whole_part(magnitude, EXPONENT_ROUNDER)
    nearly = fma(-n, LN2_HIGH, magnitude)  # exact: a multiple of the last place of ln(2)/2
    r = fma(-n, LN2_LOW, nearly)
    r_low = fma(-n, LN2_LOW, nearly - r)
    slant = polynomial(r, EXPM1_TAIL)
    growth = fma(r, slant, 1.0)
    growth_low = fma(r, slant, 1.0 - growth)
    low = fma(power * r_low, fma(r, growth, 1.0), power * r * growth_low)
    return power, r, growth, low


def whole_part(x, rounder):
    """n, the integer nearest to x / ln(2), and SHRINK * 2^(n + the rounder's bias)."""
    shifted = fma(x, LOG2_E, rounder)
    return shifted - rounder, from_bits(bits(shifted) << MANTISSA_BITS)


def reciprocal(power, step, growth, low, addend):
    """1 / (E + addend) as a first quotient y and the relative correction it needs.

    E, divided by SHRINK, is power + step * growth. Added to power first, the addend meets
    the rest of E in one rounding. What that rounding lost is exact: power - d is, d lying
    within a factor of 2.6 of power, whose last place is free.
    """
    d = fma(step, growth, power + addend)
    d_error = fma(step, growth, (power - d) + addend)
    d_low = if_narrowed(d_error + low, d_error)
    y = 1.0 / d
    return y, fma(-y, d_low, fma(-y, d, 1.0))


def logistic(power, step, growth, low):
    """q = 1 / (1 + E), divided by SHRINK, and 1 - q, each in two parts, and the slope q (1 - q)."""
    y, correction = reciprocal(power, step, growth, low, SHRINK)
    q = fma(y, correction, y)
    q_low = fma(y, correction, y - q)
    rest = fma(-q, SHRINK, 1.0)
    rest_low = fma(-q_low, SHRINK, fma(-q, SHRINK, 1.0 - rest))

    # straight from y, before q is rounded: y (1 + c) (1 - y (1 + c)) to first order in c
    bracket = fma(correction, fma(-y, TWICE_SHRINK, 1.0), -y * SHRINK)
    return q, q_low, rest, rest_low, fma(y, bracket, y)


def product(a, a_low, b, b_low):
    """a * b in two parts."""
    crossed = fma(a, b_low, a_low * b)
    high = fma(a, b, crossed)
    return high, fma(a, b, -high) + crossed


def sum_error(a, b, total):
    """What rounding lost in total = a + b."""
    part = total - a
    return (a - (total - part)) + (b - part)


def tanh_half(magnitude, power, r, growth, q, q_low):
    """tanh(magnitude / 2) = (E - 1) / (E + 1), in two parts, accurate towards zero."""
    # 1 is all that is left of 1 - 2^-n long before 2^-n underflows
    constant = where(magnitude < 64.0, 1.0 - from_bits(RECIPROCAL_BITS - bits(power)), 1.0)
    gap = fma(r, growth, constant)
    gap_low = fma(r, growth, constant - gap)
    return product(gap, gap_low, power * q, power * q_low)


def log1p_exp(power, step, growth, low):
    """log(1 + 1/E) = y + y * tail, y divided by SHRINK.

    It is 2 atanh(z) with z = 1 / (1 + 2 E) <= 1/3, and y = 2 z / SHRINK.
    """
    y, correction = reciprocal(power, step, growth, low, HALF_SHRINK)
    z = y * HALF_SHRINK
    return y, fma(z * z, polynomial(z * z, ATANH_TAIL_LOG1P), correction)


def softplus_near_zero(x):
    """log(1 + exp(x)) = ln(2) + x/2 + log(cosh(x/2)) for abs(x) <= 1/4, in two parts.

    By way of the exponential, x would drown in the rounding of larger numbers, and
    neighbours' results could come out in the wrong order.
    """
    square = x * x
    high = fma(x, 0.5, LN2_HIGH)
    even = fma(square, polynomial(square, LOG_COSH), LN2_LOW)
    return high, even + fma(x, 0.5, LN2_HIGH - high)


def rounded(high, low):
    """high, the rounded high + low.

    Where it is to be narrowed, an even last place is stepped towards low (rounding to
    odd): a second rounding would else take what the first one made a tie for a true tie.
    """
    pattern = bits(high)
    towards_zero = (pattern ^ bits(low)) >> SIGN_BIT
    odd = (pattern - towards_zero) | 1
    return if_narrowed(from_bits(where(abs(low) > 0.0, odd, pattern)), high)
