"""softplus with a steepness beta, whose argument is the exact product beta * x.

The product is carried in two parts, magnitude and magnitude_low: exp(abs(beta x)) magnifies what
the rounding of the product loses, by abs(beta x).

A number beta is one for all elements: what depends on it alone, compilers compute before the loop.
So the range of the results, which is that of x times that of the exponential and too wide for one
scale, is met by choices that are made of beta. They serve abs(beta) from 2^-28 on, to 2^62 for softplus
(float64: 2^-420 to 2^510). Beyond, `product` and the functions say what counts.
"""

from gpu_sigmoid.formulas.coefficients import LN2_HIGH, LN2_LOW, LOG_COSH, LOG_COSH_WIDER
from gpu_sigmoid.formulas.double_double import multiply, odd_if_narrowed, round_to_odd, two_sum_error
from gpu_sigmoid.formulas.exponential import exponential
from gpu_sigmoid.formulas.logistic import sigmoid_of
from gpu_sigmoid.formulas.quotients import log1p_exp, logistic
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

SIGN = Constant(float32=1 << 31, float64=1 << 63)
ONE_BITS = Constant(float32=127 << 23, float64=1023 << 52)
# Subtracting the bits of a number from it leaves those of half its reciprocal, up to an eighth too large.
BITS_OF_HALF_RECIPROCAL = Constant(float32=2 * 127 - 1 << 23, float64=2 * 1023 - 1 << 52)
# An infinite beta counts as this, of which half the reciprocal is a normal number too.
STEEPEST = Constant(float32="0x1p120", float64="0x1p1016")
LARGEST = Constant(float32="0x1.fffffep127", float64="0x1.fffffffffffffp1023")
# exp(abs(beta x)), times the scale of `exponential`, and its reciprocal are normal numbers up to here.
REACH = Constant(float32=131.0, float64=1060.0)
# Where final_scale becomes 0.
REACH_IF_WEIGHTED = Constant(float32="0x1.5dep+7", float64="0x1.6244p+10")

# 1 / SCALE of `exponential`, by which the reciprocal of beta is divided.
RECIPROCAL_SCALE = Constant(float32="0x1p64", float64="0x1p512")
LARGE_BETA = Constant(float32="0x1p62", float64="0x1p510")
# The result for any smaller beta is infinite.
LEAST_BETA = Constant(float32="0x1p-132", float64="0x1p-1028")
# Of a smaller beta, the result may be infinite; parts of it are then not to be.
FLAT_BETA = Constant(float32="0x1p-100", float64="0x1p-900")
MARGIN = Constant(float32="0x1p-8", float64="0x1p-8")
RECIPROCAL_MARGIN = Constant(float32="0x1p8", float64="0x1p8")


def product(x, beta):
    """sign, length, steepness, magnitude, magnitude_low, is_beyond.

    The sign of beta, abs(x), abs(beta), abs(beta x), and whether that is larger than counts: the length is
    bounded where it is, by what has the magnitude REACH.
    """
    sign = from_bits((bits(beta) & SIGN) | ONE_BITS)
    steepness = where(abs(beta) > STEEPEST, STEEPEST, abs(beta))
    # two of Newton's steps: short of the reciprocal by 1 in 4096 at the most, where a division has a smaller
    # domain and takes longer, beta being an array
    twice = steepness + steepness
    guess = from_bits(BITS_OF_HALF_RECIPROCAL - bits(steepness))
    better = guess * fma(-twice, guess, 2.0)
    furthest = better * fma(-twice, better, 2.0) * if_weighted(2.0 * REACH_IF_WEIGHTED, 2.0 * REACH)
    is_beyond = abs(x) > furthest
    length = where(is_beyond, furthest, abs(x))
    magnitude = length * steepness
    return sign, length, steepness, magnitude, fma(length, steepness, -magnitude), is_beyond


def reciprocal_of(steepness):
    """inverse, relative_low, margin: inverse * (1 + relative_low) = margin / (steepness * RECIPROCAL_SCALE).

    It is 0 for an infinite steepness, which any larger than LARGE_BETA counts as.
    """
    margin = where(steepness < FLAT_BETA, MARGIN, 1.0)
    at_least = where(steepness < LEAST_BETA, LEAST_BETA, steepness)
    scaled = where(steepness > LARGE_BETA, LARGE_BETA, at_least) * RECIPROCAL_SCALE
    y = 1.0 / scaled
    return where(steepness > LARGE_BETA, 0.0, y * margin), fma(-scaled, y, 1.0), margin


def softplus_beta(x, beta):
    """log(1 + exp(beta x)) / beta

    With L = log(1 + exp(-abs(beta x))), it is L / beta where beta x < 0, and x + L / beta elsewhere, with x
    itself: the product may overflow. Where beta is so small that the result may, all is computed times a
    margin, so that no part of it does.

    The derivative by beta is -H / beta^2, with H = L + abs(beta x) q: nothing cancels.
    """
    sign, length, steepness, magnitude, magnitude_low, is_beyond = product(x, beta)
    power, r, ratio, _, low, scale, final_scale = exponential(magnitude, magnitude_low)
    y, tail = log1p_exp(power, power * r, ratio, low, scale)
    log = fma(y, tail, y)
    log_low = fma(y, tail, y - log)
    inverse, relative_low, margin = reciprocal_of(steepness)

    signed = x * (sign * margin)
    start = where(signed < 0.0, 0.0, signed)
    quick_far = fma(y, inverse, start)
    quick_far_low = fma(y * inverse, tail + relative_low, fma(y, inverse, start - quick_far))
    quotient, quotient_low = multiply(log, log_low, inverse, inverse * relative_low)
    far = if_narrowed(quotient + start, quick_far)
    far_low = if_narrowed(two_sum_error(quotient, start, far) + quotient_low, quick_far_low)
    # nan beside an infinite far
    far_low = where(far_low < LARGEST, far_low, LARGEST)
    near, near_low = near_zero(signed, magnitude * magnitude, inverse, relative_low)
    is_near = magnitude < if_narrowed(0.25, 0.5)
    high = where(is_near, near, far)
    rest = where(is_near, near_low, far_low)
    value = high + rest
    value_low = (high - value) + rest
    widening = where(margin < 1.0, RECIPROCAL_MARGIN, 1.0)

    grad, _, _ = sigmoid_of(signed, magnitude, magnitude_low)
    q, q_low, p, p_low, quick_slope = logistic(power, power * r, ratio, low, scale)
    slope, slope_low = multiply(q, q_low, p, p_low)
    last = where(is_beyond, 0.0, final_scale)
    factor = sign * steepness * last
    grad2, grad2_low = multiply(slope, slope_low, factor, 0.0)

    share = magnitude * q
    share_low = fma(magnitude, q_low, fma(magnitude, q, -share))
    entropy = log + share
    entropy_low = two_sum_error(log, share, entropy) + (log_low + share_low)
    unit = inverse * RECIPROCAL_SCALE * widening
    quotient, quotient_low = multiply(entropy, entropy_low, unit, unit * relative_low)
    small = unit * last
    quotient, quotient_low = multiply(quotient, quotient_low, small, small * relative_low)
    by_beta = if_weighted(times_cotangent(unit) * entropy * small, odd_if_narrowed(quotient, quotient_low))
    twice_by_beta = fma(magnitude * magnitude, slope, 2.0 * entropy) * unit * small * unit
    return (
        odd_if_narrowed(value, value_low) * (sign * widening),
        grad,
        -by_beta,
        if_narrowed(round_to_odd(grad2, grad2_low), quick_slope * factor),
        where(x < 0.0, -length, length) * slope * last,
        twice_by_beta * sign,
    )


def near_zero(x, square, inverse, relative_low):
    """x / 2 + (ln(2) + log(cosh(beta x / 2))) / beta, for square = (beta x)^2, as a double-double.

    By way of the exponential, x would be lost in the rounding of larger numbers, and the results of
    neighbours could come out in the wrong order.
    """
    unit = inverse * RECIPROCAL_SCALE
    ln2 = LN2_HIGH * unit
    ln2_low = fma(LN2_HIGH, unit, -ln2) + unit * fma(LN2_HIGH, relative_low, LN2_LOW)
    high = fma(x, 0.5, ln2)
    even = if_narrowed(polynomial(square, LOG_COSH), polynomial(square, LOG_COSH_WIDER))
    return high, fma(square * even, unit, fma(x, 0.5, ln2 - high) + ln2_low)
