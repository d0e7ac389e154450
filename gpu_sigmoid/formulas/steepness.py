"""softplus and silu with a steepness beta, whose argument is the exact product beta * x.

The product is not rounded before it is reduced, or carried in two parts, magnitude and magnitude_low:
exp(abs(beta x)) magnifies what the rounding of the product loses, by abs(beta x).

A number beta is one for all elements: what depends on it alone, compilers compute before the loop.
So the range of the results, which is that of x times that of the exponential and too wide for one
scale, is met by choices that are made of beta. They serve abs(beta) from 2^-28 (float64: 2^-420), to
STEEPEST for silu, and to LARGE_BETA for softplus. Beyond, `product` and the functions say what counts.
"""

from gpu_sigmoid.formulas.coefficients import (
    LN2_HIGH,
    LN2_LOW,
    LOG_COSH_WIDER,
    SILU_BASE,
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOWEST,
)
from gpu_sigmoid.formulas.double_double import SIGN_MASK, multiply, two_sum_error
from gpu_sigmoid.formulas.exponential import REACH, SCALE, exponential
from gpu_sigmoid.formulas.products import in_order
from gpu_sigmoid.formulas.products_with_steepness import (
    RECIPROCAL_SCALE,
    exponential_around_silus_minimum,
    exponential_of_product,
    polar,
    product,
    reciprocal_of,
    with_sign,
)
from gpu_sigmoid.formulas.quotients import left_or_complement, log1p_exp, logistic, tanh_half
from gpu_sigmoid.formulas.silu import ROUND as SILU_ROUND
from gpu_sigmoid.formulas.silu import ROUND_SCALED as SILU_ROUND_SCALED
from gpu_sigmoid.formulas.silu import bracket, second_derivative
from gpu_sigmoid.lowering.constants import LARGEST, Constant
from gpu_sigmoid.lowering.language import bits, cotangent, fma, if_weighted, polynomial, where

# The reach without the scale of `exponential`. The product of x and the scaled sigmoid overflows below
# FLAT_BETA.
SHORT_REACH = Constant(float32=86.0, float64=708.0)
FLAT_BETA = Constant(float32="0x1p-63", float64="0x1p-511")
# Where final_scale becomes 0.
REACH_IF_WEIGHTED = Constant(float32="0x1.5d9p+7", float64="0x1.623bp+10")


def softplus_beta(x, beta):
    """log(1 + exp(beta x)) / beta

    With L = log(1 + exp(-abs(beta x))), it is L / beta where beta x < 0, and x + L / beta elsewhere, with x
    itself because the product may overflow.

    The derivative with respect to beta is -H / beta^2 with H = L + abs(beta x) q; nothing cancels.
    """
    sign, steepness = polar(beta)
    length, magnitude, _, is_beyond = product(x, steepness, if_weighted(REACH_IF_WEIGHTED, REACH))
    power, r, ratio, scale, final_scale = exponential_of_product(length, steepness)
    y, tail = log1p_exp(power, power * r, ratio, 0.0, scale)
    inverse, relative_low = reciprocal_of(steepness)

    signed = with_sign(x, sign)
    start = where(signed < 0.0, 0.0, signed)
    far = fma(y, inverse, start)
    far_low = fma(y * inverse, tail, fma(y, inverse, start - far))
    near, near_low = near_zero(signed, magnitude * magnitude, inverse, relative_low)
    is_near = magnitude < 0.5
    rest = where(is_near, near_low, far_low)
    # It is nan or infinite with an infinite sum, and nan if the product is nan, and r with it, since a GPU's
    # reciprocal of nan is unspecified.
    rest = where(abs(rest) < LARGEST, rest, where(r < LARGEST, LARGEST, r))
    value = where(is_near, near, far) + rest

    q, q_low, p, p_low, quick_slope = logistic(power, power * r, ratio, 0.0, scale)
    slope, _ = multiply(q, q_low, p, p_low)
    last = where(is_beyond, 0.0, final_scale)

    log = fma(y, tail, y)
    share = magnitude * q
    share_low = fma(magnitude, q_low, fma(magnitude, q, -share))
    entropy = log + share
    entropy_low = two_sum_error(log, share, entropy) + (fma(y, tail, y - log) + share_low)
    unit = inverse * RECIPROCAL_SCALE
    quotient, quotient_low = multiply(entropy, entropy_low, unit, unit * relative_low)
    small = unit * last
    quotient, _ = multiply(quotient, quotient_low, small, small * relative_low)
    twice_by_beta = fma(magnitude * magnitude, slope, 2.0 * entropy) * unit * small * unit
    return (
        with_sign(value, sign),
        left_or_complement(signed, q, scale, final_scale),
        -if_weighted(product_with_square(entropy, unit, last), quotient),
        quick_slope * (with_sign(steepness, sign) * last),
        where(x < 0.0, -length, length) * slope * last,
        with_sign(twice_by_beta, sign),
    )


def silu_beta(x, beta):
    """x / (1 + exp(-beta x))"""
    sign, steepness = polar(beta)
    is_flat = steepness < FLAT_BETA
    reach = if_weighted(REACH_IF_WEIGHTED, where(is_flat, SHORT_REACH, REACH))
    length, magnitude, magnitude_low, is_beyond = product(x, steepness, reach)
    power, expm1, tail, scale, final_scale = exponential_around_silus_minimum(
        length, steepness, where(is_flat, 1.0, SCALE), where(is_flat, SILU_ROUND, SILU_ROUND_SCALED)
    )
    exp_c = power * SILU_BASE
    q, q_low, p, p_low, _ = logistic(exp_c, exp_c, expm1, 0.0, scale)
    signed = with_sign(x, sign)
    start = where(bits(signed) < SIGN_MASK, signed, -0.0)
    value = with_sign(fma(-(length * q), scale, start), sign)

    # Where exp(d) is computed without a power of two, d may be nearly 0, and expm1 too far from it.
    d = magnitude + SILU_MINIMUM_HIGH
    is_near = power == scale
    difference = where(is_near, 0.0, fma(-d, scale, power - scale))
    expm1_less_d = fma(power, where(is_near, d * d * tail, expm1), difference)
    # an exact product may be as near to the minimum as its third part
    change = bracket(magnitude, magnitude_low, q, expm1_less_d) - SILU_MINIMUM_LOWEST
    grad = fma(q, change, q_low * change)
    slope, slope_low = multiply(q, q_low, p, p_low)
    grad2, grad2_low = second_derivative(magnitude, magnitude_low, q, q_low, p, p_low, scale)
    last = where(is_beyond, 0.0, final_scale)
    scaled, _ = multiply(grad2, grad2_low, with_sign(steepness, sign) * last, 0.0)

    # x^2 sigmoid'(beta x) and x^3 sigmoid''(beta x), accurate near 0 too
    part, part_low = multiply(slope, slope_low, length, 0.0)
    square, _ = multiply(part, part_low, length * last, 0.0)
    power, r, ratio, ratio_low, low, sigmoids_scale, _ = exponential(magnitude, magnitude_low)
    q, q_low, _, _, _ = logistic(power, power * r, ratio, low, sigmoids_scale)
    tanh, _ = tanh_half(magnitude, power, r, ratio, ratio_low, q, q_low)
    return (
        value,
        left_or_complement(signed, grad, scale, final_scale),
        if_weighted(product_with_square(slope, length, last), square),
        scaled,
        where(x < 0.0, -length, length) * grad2 * last,
        -with_sign(part * tanh * (length * last) * length, sign),
    )


def product_with_square(x, factor, last):
    """x * cotangent * factor^2 * last, for x in [0, 1] and a factor that is not negative.

    A small cotangent is multiplied with one of two large factors, apart from the other one: one after the
    other, x and these might over- or underflow although the product of all does not.
    """
    first, second = in_order(cotangent(), factor)
    is_apart = abs(second) < where(factor < 1.0, 0.0, 1.0)
    return x * first * where(is_apart, second * factor, second) * (where(is_apart, 1.0, factor) * last)


def near_zero(x, square, inverse, relative_low):
    """x / 2 + (ln(2) + log(cosh(beta x / 2))) / beta, for square = (beta x)^2, as a double-double.

    `softplus_near_zero` says why it is not by the exponential.
    """
    unit = inverse * RECIPROCAL_SCALE
    ln2 = LN2_HIGH * unit
    # Farther from zero, L / beta omits relative_low, which saves time. At abs(beta x) = 1/2, where the two
    # meet, this omits as much: ln(2) + log(cosh(1/4)) - 1/4 is L.
    ln2_low = fma(LN2_HIGH, unit, -ln2) + unit * fma(0.25, relative_low, LN2_LOW)
    high = fma(x, 0.5, ln2)
    even = polynomial(square, LOG_COSH_WIDER)
    return high, fma(square * even, unit, fma(x, 0.5, ln2 - high) + ln2_low)
