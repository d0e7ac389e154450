"""Gated units: products of one operand with the sigmoid or silu of another.

1 / (1 + E) is y (1 + correction), with the scale of `capped_exponential`. With one more factor it is rounded
before the product is: the error remains below 2.5 units in the last place. With two, the first product is
rounded only together with the correction (`products`).
"""

from gpu_sigmoid.formulas.double_double import multiply, rounded
from gpu_sigmoid.formulas.exponential import (
    NEGLIGIBLE_IF_WEIGHTED,
    capped_again,
    capped_exponential,
    magnitude_within,
    quick_capped_exponential,
)
from gpu_sigmoid.formulas.gated_narrowed import narrowed_glu, narrowed_swiglu
from gpu_sigmoid.formulas.products import (
    changed_product,
    corrected_product,
    in_order,
    product,
    times,
    times_pair,
)
from gpu_sigmoid.formulas.quotients import BITS_OF_RECIPROCAL, logistic, reciprocal, scaled_expm1
from gpu_sigmoid.formulas.silu import second_derivative
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import cotangent, fma, if_narrowed, if_weighted, where

# From here on 1 + x exp(-x) is 1, with digits to spare.
NEGLIGIBLE_TERM = Constant(float32=64.0, float64=512.0)
HUGE = Constant(float32="0x1p126", float64="0x1p1022")


def glu(a, b):
    """a / (1 + exp(-b))"""
    magnitude = magnitude_within(b, NEGLIGIBLE_IF_WEIGHTED)
    power, expm1, final_scale = quick_capped_exponential(magnitude)
    y, correction = reciprocal(power, power, expm1, 0.0, 1.0)
    q = fma(y, correction, y)
    complement = 1.0 - q
    gate = where(b < 0.0, q, complement)
    value = gate * a
    vjp_a = gate * cotangent()

    # to first order, the derivative y (1 + correction) (1 - y (1 + correction)) is y (1 + change)
    change = fma(correction, fma(-2.0, y, 1.0), -y)
    slope = fma(y, change, y)
    first, last_b = in_order(a, cotangent())
    by_b = if_weighted(changed_product(y, change, first) * last_b, slope * a) * final_scale
    narrowed_value, narrowed_by_a, narrowed_by_b = narrowed_glu(a, b)
    return (
        if_narrowed(narrowed_value, where(b < 0.0, value * final_scale, value)),
        if_narrowed(
            narrowed_by_a,
            if_weighted(
                where(b < 0.0, vjp_a * final_scale, vjp_a),
                where(b < 0.0, gate * final_scale, gate),
            ),
        ),
        if_narrowed(narrowed_by_b, by_b),
        0.0,
        slope * final_scale,
        second_by_gate(a, b, magnitude),
    )


def second_by_gate(a, b, magnitude):
    """a sigmoid''(b), for the bounded magnitude of b."""
    power, r, ratio, ratio_low, low, final_scale = capped_exponential(magnitude)
    # a product of many parts, whose low parts must be normal numbers: E divided by 1 / rest
    power, rest = capped_again(power)
    q, q_low, p, p_low, _ = logistic(power, power * r, ratio, low * rest, 1.0)
    derivative, derivative_low = multiply(q, q_low, p, p_low)
    quotient, quotient_low = multiply(derivative, derivative_low, power * q, power * q_low)
    expm1, expm1_low = scaled_expm1(magnitude, power, BITS_OF_RECIPROCAL, r, ratio, ratio_low)
    # the smaller factor comes last: after it low parts may be subnormal
    signed = where(b < 0.0, a, -a)
    a_is_smaller = abs(a) < expm1
    second, second_low = product(quotient, quotient_low, where(a_is_smaller, expm1, signed))
    second_low = fma(quotient, where(a_is_smaller, expm1_low, 0.0), second_low)
    last = where(a_is_smaller, signed, expm1)
    last_low = where(a_is_smaller, 0.0, expm1_low)
    return times_pair(second, second_low, last, last_low) * rest * final_scale


def swiglu(a, b):
    """a / (1 + exp(-a)) * b; silu(a) is -0.0 at -infinity

    With s = sigmoid(a), silu(a) = a s and silu'(a) = s (1 + a (1 - s)). The exponential of -a, of either
    sign, gives both without a case distinction: where 1 - s has lost digits, it is small in silu'.
    """
    bounded = where(a < -NEGLIGIBLE_IF_WEIGHTED, -NEGLIGIBLE_IF_WEIGHTED, a)
    argument = where(bounded > NEGLIGIBLE_TERM, NEGLIGIBLE_TERM, bounded)
    power, expm1, scale = quick_capped_exponential(-argument)
    larger = where(power < 1.0, 1.0, power)
    smaller = where(power < 1.0, power, 1.0)
    s, correction = reciprocal(larger, power, expm1, 0.0, smaller)

    # to first order in the correction, which comes later than s
    complement = 1.0 - s
    bracket = fma(argument, complement, 1.0)
    grad = s * bracket
    grad_low = fma(fma(-argument * s, s, grad), correction, fma(s, bracket, -grad))

    first, last = in_order(bounded, b)

    first_a, last_a = in_order(b, cotangent())
    # the derivative may be 1.1, and the product with it overflow although the product of all three does not
    is_huge = abs(first_a) > HUGE
    vjp_a, vjp_a_low = product(grad, grad_low, where(is_huge, 0.5 * first_a, first_a))
    first_b, last_b = in_order(bounded, cotangent())

    magnitude = magnitude_within(a, NEGLIGIBLE_IF_WEIGHTED)
    power, r, ratio, _, low, second_scale = capped_exponential(magnitude)
    q, q_low, p, p_low, _ = logistic(power, power * r, ratio, low, 1.0)
    second, second_low = second_derivative(magnitude, -0.0, q, q_low, p, p_low, 1.0)
    by_a = if_weighted(
        times(vjp_a, vjp_a_low, last_a) * where(is_huge, scale + scale, scale),
        times(grad, grad_low, b) * scale,
    )
    by_b = if_weighted(corrected_product(s, correction, first_b) * last_b, fma(s, correction, s) * bounded)
    narrowed_value, narrowed_by_a, narrowed_by_b = narrowed_swiglu(a, b)
    return (
        if_narrowed(narrowed_value, corrected_product(s, correction, first) * last * scale),
        if_narrowed(narrowed_by_a, by_a),
        if_narrowed(narrowed_by_b, by_b * scale),
        times(second, second_low, b) * second_scale,
        rounded(grad, grad_low) * scale,
        0.0,
    )


# `lower_for` takes another form for 16-bit results.
glu.narrows = swiglu.narrows = True
