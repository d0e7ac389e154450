"""tanh, by its own exponential.

With E = exp(2 abs(x)), tanh(abs(x)) = 1 - 2 / (1 + E), and rounding errors before the quotient remain
small. Nearer to zero, tanh(a) = a - a^3 / g(a^2). The function a^3 / (a - tanh(a)) has its first
singularities at 4.49i, where tan(z) = z, and tanh has them at 1.57i, so that half the terms suffice. Both
expressions are a number minus a multiple of one quotient, so one division serves both: its operands are
selected, not its result.

The exponential of the doubled argument does not need the doubling, which is in its constants.
"""

from gpu_sigmoid.formulas.coefficients import EXPM1_TAIL_DOUBLED, LN2_HIGH, LN2_LOW, LOG2_E, TANH_CUBIC
from gpu_sigmoid.formulas.double_double import SIGN_BIT, odd_if_narrowed, round_to_odd
from gpu_sigmoid.formulas.exponential import (
    CAPPED,
    ROUND,
    ROUND_SCALED,
    SCALE,
    binary_exponent,
    bounded_magnitude,
    exponential,
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
    if_weighted,
    polynomial,
    times_cotangent,
    where,
)

# Here the two ways' errors are equal: g is rounded worse from 0.915 on, 1 + E is from there down.
FAR = Constant(float32="0x1.dcp-1", float64="0x1.dcp-1")
# Keeps the quotient near zero a normal number, as the GPU's division wants it, and is nothing to it.
LEAST_SQUARE = Constant(float32="0x1p-100", float64="0x1p-800")
# From 2^23.5 (2^52.5) times the scale on, the sum of the exponential's power of two and the scale is
# that power.
ABSORBING = Constant(float32="0x1.6a09e6p-41", float64="0x1.6a09e667f3bcdp-460")
ABSORBING_IF_WEIGHTED = Constant(float32="0x1.6a09e6p23", float64="0x1.6a09e667f3bcdp52")


def tanh(x):
    """1 - 2 / (1 + exp(2 x))

    The derivatives are the sigmoid's at 2 x, times 4 and 8.
    """
    magnitude = bounded_magnitude(x, 0.5)
    n, power, denominator, scale, final_scale = exponential_plus_one(magnitude)
    is_near = magnitude < FAR
    square = fma(magnitude, magnitude, LEAST_SQUARE)
    quotient = where(is_near, square, 1.0) / where(is_near, polynomial(square, TANH_CUBIC), denominator)
    factor = where(is_near, magnitude, 2.0 * scale)
    quick = fma(-factor, quotient, where(is_near, magnitude, 1.0))

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
    derivative, derivative_low, second, second_low = derivatives(doubled, -0.0)
    grad2 = odd_if_narrowed(second, second_low) * (8.0 * doubled_final_scale)
    # the product with a cotangent may be the least normal number, and a quarter of it no longer one
    chosen = if_narrowed(round_to_odd(derivative, derivative_low), quick_derivative)
    return (
        with_sign(if_narrowed(round_to_odd(value, value_low), quick), x),
        times_cotangent(if_weighted(4.0 * chosen, chosen))
        * (if_weighted(1.0, 4.0) * if_narrowed(doubled_final_scale, final_scale)),
        where(x < 0.0, grad2, -grad2),
    )


def exponential_plus_one(magnitude):
    """n, power, scale * (exp(2 magnitude) + 1), scale, final_scale; power = scale * 2^n.

    exp(2 magnitude) = 2^n * exp(2 h), abs(h) <= ln(2)/4. In float32, LN2_HIGH is by chance so near to
    ln(2) that the rest is nothing to the value; the derivative, which falls as n grows, makes up for it.
    """
    n, power, scale, final_scale = binary_exponent(
        magnitude, 2.0 * LOG2_E, SCALE, ROUND_SCALED, ROUND, CAPPED
    )
    partly_reduced = fma(-n, 0.5 * LN2_HIGH, magnitude)
    h = if_float32(partly_reduced, fma(-n, 0.5 * LN2_LOW, partly_reduced))
    expm1_by_h = fma(h, polynomial(h, EXPM1_TAIL_DOUBLED), 2.0)
    return n, power, fma(power * h, expm1_by_h, power + scale), scale, final_scale


def with_sign(magnitude, x):
    """The magnitude with the sign of x, of a zero too.

    Added: an `or` and the mask would become one operation of three operands, which takes longer.
    """
    return from_bits(bits(magnitude) + ((bits(x) >> SIGN_BIT) << SIGN_BIT))
