"""The exponential E = exp(abs(x)), and the scale that keeps it and its reciprocal in range.

All formulas except that of `logit` use E >= 1 and a division by 1 + E. E may overflow and the quotient
underflow. E is therefore multiplied by `scale`, a power of two, and the quotients are divided by it: a
result below the least normal number is rounded once, by the last operation, which multiplies by
`final_scale`.

In a vector-Jacobian product the derivative may underflow although the product does not, so the cotangent
is multiplied in before the last operation. A cotangent divided by the usual scale could overflow, though.
For such products the scale is 1, the exponent of E is capped so that the quotient is a normal number, and
final_scale is the power of two that the cap removed.
"""

from gpu_sigmoid.formulas.coefficients import EXPM1_TAIL, LN2_HIGH, LN2_LOW, LOG2_E
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import (
    bits,
    fma,
    from_bits,
    if_narrowed,
    if_weighted,
    polynomial,
    polynomial_in_pairs,
    where,
)

SCALE_EXPONENT = -64, -512
CAP_EXPONENT = 125, 1021
SCALE = Constant(float32="0x1p-64", float64="0x1p-512")
SIGNIFICAND_BITS = Constant(float32=23, float64=52)


def rounding_constant(float32_exponent, float64_exponent):
    """The constant that rounds a number to an integer n when added to it.

    1.5 * 2^23 (2^52) has a last place of 1. The low bits of the sum, shifted up by the width of
    the significand, are the float 2^(n + exponent).
    """
    return Constant(
        float32=float(3 * 2**22 + 127 + float32_exponent),
        float64=float(3 * 2**51 + 1023 + float64_exponent),
    )


ROUND_SCALED = rounding_constant(*SCALE_EXPONENT)
ROUND = rounding_constant(0, 0)
CAPPED = rounding_constant(*CAP_EXPONENT)
LOW_CAP = Constant(float32="0x1p64", float64="0x1p512")
BITS_OF_ONE = Constant(float32=127 << 23, float64=1023 << 52)
BITS_OF_CAP = Constant(float32=127 + CAP_EXPONENT[0] << 23, float64=1023 + CAP_EXPONENT[1] << 52)
EXPM1_TAIL_EVEN, EXPM1_TAIL_ODD = EXPM1_TAIL.every_other(0), EXPM1_TAIL.every_other(1)

# From here on even x * exp(-x) rounds to zero.
NEGLIGIBLE = Constant(float32=110.0, float64=760.0)
# The same for a result that is rounded again, to 16 bits. In float32 it is not zero yet, so that it
# still decides on which side of a tie between two 16-bit numbers a sum is.
NEGLIGIBLE_IF_NARROWED = Constant(float32=100.0, float64=760.0)
# 252 ln(2) and 2044 ln(2), 127 and 1023 above the cap: final_scale would be 2^-127 or 2^-1023,
# whose exponent field is that of zero, and it is zero; from half a ln(2) less on, since the exponent
# is rounded. Products of the largest cotangents that are lost are below 2^-116 and 2^-1006.
NEGLIGIBLE_IF_WEIGHTED = Constant(float32="0x1.5d58ap+7", float64="0x1.6232bdd7abcd2p+10")

# If the factor of the results may be large: as far as the scaled E and 1 / E are normal numbers.
REACH = Constant(float32=131.0, float64=1060.0)


def bounded_magnitude(x, unit):
    """abs(x), bounded so that the exponents of exp(abs(x) / unit) stay in range; nan stays nan."""
    bound = if_weighted(NEGLIGIBLE_IF_WEIGHTED, if_narrowed(NEGLIGIBLE_IF_NARROWED, NEGLIGIBLE))
    return magnitude_within(x, unit * bound)


def magnitude_within(x, bound):
    return where(abs(x) > bound, bound, abs(x))


def binary_exponent(x, log2_base, unweighted_scale, round_scaled, round_unscaled, cap):
    """n, power, scale, final_scale: n is the integer nearest to x * log2_base, power is scale * 2^n.

    The rounding constants may add the same exponent to n. Requires 0 <= x and a `bounded_magnitude`;
    otherwise the bits shifted into the exponent field are not an exponent.
    """
    shifted = fma(x, log2_base, round_scaled)
    n, power, final_scale = capped_exponent(x, log2_base, round_unscaled, cap)
    return (
        if_weighted(n, shifted - round_scaled),
        if_weighted(power, from_bits(bits(shifted) << SIGNIFICAND_BITS)),
        if_weighted(1.0, unweighted_scale),
        if_weighted(final_scale, unweighted_scale),
    )


def capped_exponent(x, log2_base, round, cap):
    """n, power, final_scale: n is the integer nearest to x * log2_base, power / final_scale is 2^n."""
    shifted = fma(x, log2_base, round)
    capped = where(shifted > cap, cap, shifted)
    return (
        shifted - round,
        from_bits(bits(capped) << SIGNIFICAND_BITS),
        from_bits(bits(ROUND - (shifted - capped)) << SIGNIFICAND_BITS),
    )


def exponential(magnitude, magnitude_low):
    """power, r, ratio, ratio_low, low, scale, final_scale; scale * E = power * (1 + r * ratio) + low.

    E = 2^n * exp(r), abs(r) <= ln(2)/2; ratio = (exp(r) - 1) / r. `magnitude_low` is -0.0 where the
    magnitude is exact.
    """
    n, power, scale, final_scale = binary_exponent(magnitude, LOG2_E, SCALE, ROUND_SCALED, ROUND, CAPPED)
    r, r_low = reduced(magnitude, magnitude_low, n)
    ratio, ratio_low, low = expm1_ratio(power, r, r_low, polynomial(r, EXPM1_TAIL))
    return power, r, ratio, ratio_low, low, scale, final_scale


def capped_exponential(x):
    """power, r, ratio, ratio_low, low, final_scale; final_scale * exp(x) = power * (1 + r * ratio) + low.

    For the factors of products: final_scale is 1 unless exp(x) is beyond the cap. Requires x >= -87
    (-708), and x <= NEGLIGIBLE_IF_WEIGHTED.
    """
    n, power, final_scale = capped_exponent(x, LOG2_E, ROUND, CAPPED)
    r, r_low = reduced(x, -0.0, n)
    ratio, ratio_low, low = expm1_ratio(power, r, r_low, polynomial_in_pairs(r, EXPM1_TAIL))
    return power, r, ratio, ratio_low, low, final_scale


def quick_capped_exponential(x):
    """power, expm1, final_scale; final_scale * exp(x) = power * (1 + expm1).

    As `capped_exponential`, without low parts and with fewer operations. The exponent is capped as bits: up
    to NEGLIGIBLE_IF_WEIGHTED it fits into its field and the sign bit, as an unsigned integer.
    """
    shifted = fma(x, LOG2_E, ROUND)
    uncapped = bits(shifted) << SIGNIFICAND_BITS
    power = where(uncapped < BITS_OF_CAP, uncapped, BITS_OF_CAP)
    r, _ = reduced(x, -0.0, shifted - ROUND)
    square = r * r
    tail = fma(polynomial(square, EXPM1_TAIL_ODD), r, polynomial(square, EXPM1_TAIL_EVEN))
    return from_bits(power), fma(square, tail, r), from_bits(power + BITS_OF_ONE - uncapped)


def capped_again(power):
    """2^n capped so that its reciprocal has low parts too, and the factor that the cap removed."""
    capped = where(power > LOW_CAP, LOW_CAP, power)
    return capped, from_bits(bits(capped) + BITS_OF_ONE - bits(power))


def reduced(x, x_low, n):
    """r = x + x_low - n ln(2) and its rounding error, by Cody and Waite's reduction."""
    # exact: a multiple of the last place of ln(2)/2, and smaller
    partly_reduced = fma(-n, LN2_HIGH, x)
    r = fma(-n, LN2_LOW, partly_reduced + x_low)
    return r, fma(-n, LN2_LOW, partly_reduced - r) + x_low


def expm1_ratio(power, r, r_low, tail):
    """ratio = 1 + r * tail, ratio_low, and low, the part of power * exp(r) from r_low and ratio_low."""
    ratio = fma(r, tail, 1.0)
    ratio_low = fma(r, tail, 1.0 - ratio)
    low = fma(power * r_low, fma(r, ratio, 1.0), power * r * ratio_low)
    return ratio, ratio_low, low
