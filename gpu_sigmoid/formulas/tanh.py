"""tanh, by its own exponential.

With E = exp(2 abs(x)), tanh(abs(x)) = 1 - 2 / (1 + E), and rounding errors before the quotient remain
small. Nearer to zero, tanh(a) = a - a^3 / g(a^2). The function a^3 / (a - tanh(a)) has its first
singularities at 4.49i, where tan(z) = z, and tanh has them at 1.57i, so that half the terms suffice. Both
expressions are s - s * u / d, where s is 1 or a and u is s^2, so one division serves both: its operands
are selected, not its result. The two denominators d are a product and a sum, whose operands are selected too:
on CPUs that compute under a mask most of these selections take no time.

The exponential of the doubled argument does not need the doubling, which is in its constants.
"""

from gpu_sigmoid.formulas.coefficients import EXPM1_TAIL_DOUBLED, LN2_HIGH, LN2_LOW, LOG2_E, TANH_CUBIC
from gpu_sigmoid.formulas.double_double import SIGN_MASK, odd_if_narrowed, round_to_odd
from gpu_sigmoid.formulas.exponential import (
    BITS_OF_ONE,
    CAPPED,
    ROUND,
    ROUND_SCALED,
    SCALE,
    binary_exponent,
    bounded_magnitude,
    exponential,
    magnitude_within,
    rounding_constant,
)
from gpu_sigmoid.formulas.logistic import derivatives
from gpu_sigmoid.formulas.quotients import logistic, tanh_half
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import (
    bits,
    fma,
    from_bits,
    if_float32,
    if_narrowed,
    if_value_alone,
    if_weighted,
    polynomial,
    times_cotangent,
    where,
)

# Here the two ways' errors are equal: g is rounded worse from 0.915 on, 1 + E is from there down.
FAR = Constant(float32="0x1.dcp-1", float64="0x1.dcp-1")
# Where tanh is 1 to any precision, and E far from overflowing: a value alone needs no larger operand, and no
# scale. Then the scale is a half, so that u is 1.
ENOUGH = Constant(float32=20.0, float64=20.0)
ENOUGH_BITS = Constant(float32=0x41A00000, float64=0x4034 << 48)
HALF = Constant(float32=0.5, float64=0.5)
ROUND_HALVED = rounding_constant(-1, -1)
# Subtracted from the square near zero. The quotient is then negative at zero, whose sign the sum keeps, and
# a normal number or 0, as the GPU's division wants it; it is nothing to the result.
LEAST_SQUARE = Constant(float32="0x1p-100", float64="0x1p-800")
CUBIC_FIRST = TANH_CUBIC.first
CUBIC_REST = TANH_CUBIC.rest
# From 2^23.5 (2^52.5) times the scale on, the sum of the exponential's power of two and the scale is
# that power.
ABSORBING = Constant(float32="0x1.6a09e6p-41", float64="0x1.6a09e667f3bcdp-460")
ABSORBING_IF_WEIGHTED = Constant(float32="0x1.6a09e6p23", float64="0x1.6a09e667f3bcdp52")


def tanh(x):
    """1 - 2 / (1 + exp(2 x))

    The derivatives are the sigmoid's at 2 x, times 4 and 8.
    """
    magnitude = if_value_alone(within_enough(x), bounded_magnitude(x, 0.5))
    n, power, step, ratio, scale, final_scale = doubled_exponential(magnitude)
    denominator = fma(step, ratio, power + scale)
    is_far = abs(x) >= FAR
    start = from_bits(where(is_far, bits(x) & SIGN_MASK | BITS_OF_ONE, bits(x)))
    square = fma(start, start, -LEAST_SQUARE)
    multiplier = where(is_far, step, polynomial(square, CUBIC_REST))
    product_and_sum = fma(multiplier, where(is_far, ratio, square), where(is_far, power + scale, CUBIC_FIRST))
    # with a derivative, the denominator is needed for itself
    selected = where(is_far, denominator, polynomial(square, TANH_CUBIC))
    quotient = if_value_alone(square, where(is_far, 1.0, square)) / if_value_alone(product_and_sum, selected)
    # the scale follows the quotient, which would no longer be a normal number
    factor = if_value_alone(start, start * where(is_far, 2.0 * scale, 1.0))
    quick = fma(-factor, quotient, start)

    # q (1 - q), q = 1 / (1 + E); where 1 + E has been computed as E, 1 / E (1 - 2 / E)
    q = 1.0 / denominator
    is_absorbing = power > if_weighted(ABSORBING_IF_WEIGHTED, ABSORBING)
    rest = -q * where(is_absorbing, 2.0 * scale, scale)
    quick_derivative = fma(q, if_float32(fma(n, LN2_LOW, rest), rest), q)

    # results that are rounded again, and the second derivative, are computed as the sigmoid's
    doubled = bounded_magnitude(x + x, 1.0)
    doubled_power, r, ratio, ratio_low, low, doubled_scale, doubled_final_scale = exponential(doubled, -0.0)
    q, q_low, _, _, _ = logistic(doubled_power, doubled_power * r, ratio, low, doubled_scale)
    value, value_low = tanh_half(doubled, doubled_power, r, ratio, ratio_low, q, q_low)
    derivative, derivative_low, second, second_low = derivatives(doubled)
    grad2 = odd_if_narrowed(second, second_low) * (8.0 * doubled_final_scale)
    # the product with a cotangent may be the least normal number, and a quarter of it no longer one
    chosen = if_narrowed(round_to_odd(derivative, derivative_low), quick_derivative)
    return (
        if_narrowed(with_sign_of(round_to_odd(value, value_low), x), quick),
        times_cotangent(if_weighted(4.0 * chosen, chosen))
        * (if_weighted(1.0, 4.0) * if_narrowed(doubled_final_scale, final_scale)),
        where(x < 0.0, grad2, -grad2),
    )


def within_enough(x):
    """abs(x), but at most ENOUGH, where the sign and nan are seen to elsewhere.

    As integers in float32, where CPUs take less time for it; for 64 bits not all have the instruction.
    """
    pattern = bits(abs(x))
    return if_float32(
        from_bits(where(pattern < ENOUGH_BITS, pattern, ENOUGH_BITS)), magnitude_within(x, ENOUGH)
    )


def doubled_exponential(magnitude):
    """n, power, step, ratio, scale, final_scale; scale * exp(2 magnitude) = power + step * ratio.

    exp(2 magnitude) = 2^n * exp(2 h), abs(h) <= ln(2)/4, and power = scale * 2^n. In float32, LN2_HIGH is by
    chance so near to ln(2) that the rest is nothing to the value; the derivative, which falls as n grows,
    makes up for it.
    """
    n, power, scale, final_scale = binary_exponent(
        magnitude,
        2.0 * LOG2_E,
        if_value_alone(HALF, SCALE),
        if_value_alone(ROUND_HALVED, ROUND_SCALED),
        ROUND,
        CAPPED,
    )
    partly_reduced = fma(-n, 0.5 * LN2_HIGH, magnitude)
    h = if_float32(partly_reduced, fma(-n, 0.5 * LN2_LOW, partly_reduced))
    return n, power, power * h, fma(h, polynomial(h, EXPM1_TAIL_DOUBLED), 2.0), scale, final_scale


def with_sign_of(magnitude, x):
    """The magnitude with the sign of x, of a zero too."""
    return from_bits(bits(magnitude) | bits(x) & SIGN_MASK)
