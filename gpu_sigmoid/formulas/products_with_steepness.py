"""The product of x and a steepness beta, reduced for an exponential, and the reciprocal of beta."""

from gpu_sigmoid.formulas.coefficients import (
    EXPM1_TAIL,
    LN2_REST,
    LN2_SHORT,
    LOG2_E,
    SILU_BASE_LOG2_LESS_2,
    SILU_BASE_LOG_LESS_2LN2_REST,
    SILU_BASE_LOG_LESS_2LN2_SHORT,
)
from gpu_sigmoid.formulas.double_double import SIGN_MASK
from gpu_sigmoid.formulas.exponential import CAPPED, ROUND, ROUND_SCALED, SCALE, binary_exponent
from gpu_sigmoid.formulas.silu import CAPPED as SILU_CAPPED
from gpu_sigmoid.formulas.silu import ROUND as SILU_ROUND
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits, if_weighted, polynomial, where

# Subtracting the bits of a number from it gives those of half its reciprocal, to 1 in 19.
BITS_OF_HALF_RECIPROCAL = Constant(
    float32=(2 * 127 - 1 << 23) - (13 << 16), float64=(2 * 1023 - 1 << 52) - (13 << 45)
)
# A larger beta, and an infinite one, counts as this, of which half the reciprocal is a normal number too.
STEEPEST = Constant(float32="0x1p120", float64="0x1p1016")
# 1 / SCALE of `exponential`, by which the reciprocal of beta is divided.
RECIPROCAL_SCALE = Constant(float32="0x1p64", float64="0x1p512")
LARGE_BETA = Constant(float32="0x1p62", float64="0x1p510")
# The result for any smaller beta is infinite.
LEAST_BETA = Constant(float32="0x1p-132", float64="0x1p-1028")


def polar(beta):
    """sign, steepness: the bit, and abs(beta), of which a larger one counts as STEEPEST."""
    return bits(beta) & SIGN_MASK, where(abs(beta) > STEEPEST, STEEPEST, abs(beta))


def with_sign(x, sign):
    """x times 1 or -1, by the sign bit; faster than a product."""
    return from_bits(bits(x) ^ sign)


def product(x, steepness, reach):
    """length, magnitude, magnitude_low, is_beyond: abs(x), abs(beta x), and whether it is beyond reach.

    If it is, the length and the magnitude are limited to the reach.
    """
    # A Newton step leaves it less than the reciprocal by at most 1 in 387, a second one by 1 in 150,000. A
    # division would have a smaller domain and, if beta is an array, take longer.
    guess = from_bits(BITS_OF_HALF_RECIPROCAL - bits(steepness))
    twice = steepness + steepness
    better = guess * fma(-twice, guess, 2.0)
    furthest = if_weighted(better * fma(-twice, better, 2.0), better) * (2.0 * reach)
    is_beyond = abs(x) > furthest
    length = where(is_beyond, furthest, abs(x))
    magnitude = length * steepness
    return length, magnitude, fma(length, steepness, -magnitude), is_beyond


def exponential_of_product(length, steepness):
    """power, r, ratio, scale, final_scale; scale * exp(length * steepness) = power * (1 + r * ratio).

    As `exponential`, without the low parts. The product is not rounded before it is reduced. For one number
    the constants that it is multiplied with are hoisted, so that it costs one operation more.
    """
    n, power, scale, final_scale = binary_exponent(
        length, steepness * LOG2_E, SCALE, ROUND_SCALED, ROUND, CAPPED
    )
    partly_reduced = fma(length, steepness, n * -LN2_SHORT)
    r = fma(-n, LN2_REST, partly_reduced)
    return power, r, fma(r, polynomial(r, EXPM1_TAIL), 1.0), scale, final_scale


def exponential_around_silus_minimum(length, steepness, unweighted_scale, round_scaled):
    """power, expm1, tail, scale, final_scale; scale * exp(d) = power * (1 + expm1) for silu's d.

    As `exponential_of_product`; what is subtracted from the product is exact, log(SILU_BASE) too.
    """
    above = fma(length, steepness * LOG2_E, -SILU_BASE_LOG2_LESS_2)
    n, power, scale, final_scale = binary_exponent(
        above, 1.0, unweighted_scale, round_scaled, SILU_ROUND, SILU_CAPPED
    )
    subtracted = fma(n, LN2_SHORT, SILU_BASE_LOG_LESS_2LN2_SHORT)
    r = fma(length, steepness, -subtracted) - fma(n, LN2_REST, SILU_BASE_LOG_LESS_2LN2_REST)
    tail = polynomial(r, EXPM1_TAIL)
    return power, fma(r * r, tail, r), tail, scale, final_scale


def reciprocal_of(steepness):
    """inverse, relative_low: inverse * (1 + relative_low) = 1 / (steepness * RECIPROCAL_SCALE).

    It is 0 for an infinite steepness; any steepness above LARGE_BETA counts as infinite.
    """
    at_least = where(steepness < LEAST_BETA, LEAST_BETA, steepness)
    scaled = where(steepness > LARGE_BETA, LARGE_BETA, at_least) * RECIPROCAL_SCALE
    y = 1.0 / scaled
    return where(steepness > LARGE_BETA, 0.0, y), fma(-scaled, y, 1.0)
