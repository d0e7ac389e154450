"""What the formulas have in common: the exponential, the logistic parts, log(1 + e).

All but `logit` rest on E = exp(magnitude) >= 1 and on one division by 1 + E. E may
overflow and what is divided by it underflow: E is carried times a power of two, shrink,
and the quotients divided by it, so that a result below the smallest normal number
is rounded only once, by the last operation, which multiplies by shrink. A cotangent is
multiplied in before that: the derivative may underflow where its product does not.

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

SHRINK = Constant(float32="0x1p-64", float64="0x1p-512")
MANTISSA_BITS = Constant(float32=23, float64=52)
SIGN_BIT = Constant(float32=31, float64=63)


def rounder(exponent):
    """What rounds a number to an integer n when added to it.

    The sum's low bits, shifted up by the mantissa's width, are 2^(n + exponent); exponents are
    float32's and float64's.
    """
    return Constant(
        float32=float(3 * 2**22 + 127 + exponent[0]),
        float64=float(3 * 2**51 + 1023 + exponent[1]),
    )


SHRINKING_ROUNDER = rounder((-64, -512))
PLAIN_ROUNDER = rounder((0, 0))
# E is capped here where a cotangent awaits its reciprocal, which is still a normal number.
CAP = rounder((125, 1021))
# Subtracting the bits of SHRINK * 2^n from it leaves those of 2^-n.
RECIPROCAL_BITS = Constant(float32=(2 * 127 - 64) << 23, float64=(2 * 1023 - 512) << 52)

# From here on even x * exp(-x) rounds to zero.
NEGLIGIBLE_FROM = Constant(float32=110.0, float64=760.0)
# The same for what is rounded again, to 16 bits; in float32 it is not 0 yet, and so still tells
# on which side of a tie a sum lies.
NARROWED_NEGLIGIBLE_FROM = Constant(float32=100.0, float64=760.0)
# 252 ln(2) and 2044 ln(2): there the factor that capping leaves, 2^-127 and 2^-1023, has the
# bits of 0, and is 0. What is lost is below 2^-116 and 2^-1006 for the largest cotangents.
NEGLIGIBLE_WEIGHTED_FROM = Constant(float32="0x1.5d58ap+7", float64="0x1.6232bdd7abcd2p+10")


def bounded_magnitude(x):
    """abs(x), bounded so that exponents stay in range; nan stays nan."""
    bound = if_weighted(NEGLIGIBLE_WEIGHTED_FROM, if_narrowed(NARROWED_NEGLIGIBLE_FROM, NEGLIGIBLE_FROM))
    return where(abs(x) > bound, bound, abs(x))


def exp_parts(magnitude):
    """power, r, growth, low, shrink, last; shrink * exp(magnitude) = power * (1 + r * growth) + low.

    exp(magnitude) = 2^n * exp(r) with n an integer and abs(r) <= ln(2)/2. The low part
    is what the rounding of r and of growth has lost, times power.
    """
    n, power, shrink, last = binary_exponent(magnitude, SHRINKING_ROUNDER, PLAIN_ROUNDER, CAP)
    nearly = fma(-n, LN2_HIGH, magnitude)  # exact: a multiple of the last place of ln(2)/2
    r = fma(-n, LN2_LOW, nearly)
    r_low = fma(-n, LN2_LOW, nearly - r)
    slant = polynomial(r, EXPM1_TAIL)
    growth = fma(r, slant, 1.0)
    growth_low = fma(r, slant, 1.0 - growth)
    low = fma(power * r_low, fma(r, growth, 1.0), power * r * growth_low)
    return power, r, growth, low, shrink, last


def binary_exponent(x, shrinking_rounder, plain_rounder, cap):
    """n, the integer nearest to x / ln(2); shrink * 2^(n + the rounders' exponent); shrink; last.

    A result divided by shrink is finally multiplied by last. Both are SHRINK; but a cotangent
    divided by SHRINK could overflow: where one awaits the derivative, shrink is 1, n is capped
    in the power, and last is the power of two that capping has taken. Beside a power that
    large, it does not matter that shrink * 1 is more than it should be.
    Requires a `bounded_magnitude`.
    """
    shifted = fma(x, LOG2_E, shrinking_rounder)
    plain = fma(x, LOG2_E, plain_rounder)
    capped = where(plain > cap, cap, plain)
    return (
        if_weighted(plain - plain_rounder, shifted - shrinking_rounder),
        if_weighted(from_bits(bits(capped) << MANTISSA_BITS), from_bits(bits(shifted) << MANTISSA_BITS)),
        if_weighted(1.0, SHRINK),
        if_weighted(from_bits(bits(PLAIN_ROUNDER - (plain - capped)) << MANTISSA_BITS), SHRINK),
    )


def reciprocal(power, step, growth, low, addend):
    """1 / (E + addend / shrink), divided by shrink, as a first quotient y and its relative correction.

    E times shrink is power + step * growth. Added to power first, the addend meets
    the rest of E in one rounding. What that rounding lost is exact: power - d is, d lying
    within a factor of 2.6 of power, whose last place is free.
    """
    d = fma(step, growth, power + addend)
    d_error = fma(step, growth, (power - d) + addend)
    d_low = if_narrowed(d_error + low, d_error)
    y = 1.0 / d
    return y, fma(-y, d_low, fma(-y, d, 1.0))


def logistic(power, step, growth, low, shrink):
    """q = 1 / (1 + E), divided by shrink, and 1 - q, each in two parts, and the slope q (1 - q)."""
    y, correction = reciprocal(power, step, growth, low, shrink)
    q = fma(y, correction, y)
    q_low = fma(y, correction, y - q)
    rest = fma(-q, shrink, 1.0)
    rest_low = fma(-q_low, shrink, fma(-q, shrink, 1.0 - rest))

    # straight from y, before q is rounded: y (1 + c) (1 - y (1 + c)) to first order in c
    first = y * shrink
    bracket = fma(correction, fma(-2.0, first, 1.0), -first)
    return q, q_low, rest, rest_low, fma(y, bracket, y)


def side_of(x, small, small_rounded, rest_rounded, shrink, last):
    """small * last where x < 0, else 1 - small * shrink, times the cotangent if one is wanted.

    `small_rounded` and `rest_rounded` are small, still to be multiplied, and the rest where they
    are to be narrowed.
    """
    left = if_weighted(small_rounded, small_rounded * last)
    # the choice of two constants is faster than that of results
    quick = fma(small, where(x < 0.0, shrink, -shrink), where(x < 0.0, 0.0, 1.0))
    side = if_narrowed(where(x < 0.0, left, rest_rounded), quick)
    return if_weighted(times_cotangent(side) * where(x < 0.0, last, 1.0), side)


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
    """tanh(magnitude / 2) = (E - 1) / (E + 1), in two parts, accurate towards zero.

    Requires the power that SHRINK makes: the second derivative has no cotangent.
    """
    # 1 is all that is left of 1 - 2^-n long before 2^-n underflows
    constant = where(magnitude < 64.0, 1.0 - from_bits(RECIPROCAL_BITS - bits(power)), 1.0)
    gap = fma(r, growth, constant)
    gap_low = fma(r, growth, constant - gap)
    return product(gap, gap_low, power * q, power * q_low)


def log1p_exp(power, step, growth, low, shrink):
    """log(1 + 1/E) = y + y * tail, y divided by shrink.

    It is 2 atanh(z) with z = 1 / (1 + 2 E) <= 1/3, and y = 2 z / shrink.
    """
    half = 0.5 * shrink
    y, correction = reciprocal(power, step, growth, low, half)
    z = y * half
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
    """high, or where it is to be narrowed high + low rounded to odd."""
    return if_narrowed(round_to_odd(high, low), high)


def round_to_odd(high, low):
    """The sum of a pair with high = fl(high + low), rounded to odd.

    Where the sum is inexact, an even last place is stepped towards low: a second rounding, to
    fewer bits, would else take what the first one made a tie for a true tie.

    It works on high's bits and requires that abs(low) is at most half of high's last place,
    and so that low is 0 where high is; a low that is nan, as beside an infinite high, counts
    as 0. What cancellation may have left is to be `renormalized` first.
    """
    pattern = bits(high)
    towards_zero = (pattern ^ bits(low)) >> SIGN_BIT
    odd = (pattern - towards_zero) | 1
    return from_bits(where(abs(low) > 0.0, odd, pattern))


def renormalized(high, low):
    """The same sum as a pair whose high is the rounded sum, by Dekker's fast two-sum.

    Requires that abs(low) <= abs(high) or high is 0; for a low that is larger, as after a
    cancellation that leaves a few last places, the second part is only nearly what the sum
    has lost. Where low is nan, beside an infinite high, high stays.
    """
    total = where(abs(low) > 0.0, high + low, high)
    return total, low - (total - high)
