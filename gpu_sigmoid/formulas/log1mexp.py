"""log1mexp and softplus_inverse, which use E - 1 with E = exp(a).

For large a, log(1 - exp(-a)) = -2 atanh(1 / (2 E - 1)). For small a it is log(E - 1) - a, with the full
relative accuracy of E - 1. log(E - 1) vanishes at a = ln(2), where E - 1 = 1 + 2 (exp(a - ln(2)) - 1) keeps
its relative accuracy. One division serves both cases; its operands are selected.

Small arguments may be subnormal: there E - 1 is multiplied by `logarithm.SCALE`, elsewhere by the scale of
`exponential`.

float32 and float64 values and first derivatives need less accuracy than that, and are those of `log_expm1`,
except in products with a cotangent.
"""

from gpu_sigmoid.formulas.coefficients import ATANH_TAIL_LOGIT
from gpu_sigmoid.formulas.double_double import (
    multiply,
    multiply_add,
    odd_if_narrowed,
    round_to_odd,
    two_sum_error,
)
from gpu_sigmoid.formulas.exponential import bounded_magnitude, exponential
from gpu_sigmoid.formulas.log_expm1 import log1mexp_of_negative, softplus_inverse_of_positive
from gpu_sigmoid.formulas.logarithm import SCALE, exponent, times_ln2
from gpu_sigmoid.lowering.constants import INFINITY, NAN, Constant
from gpu_sigmoid.lowering.language import fma, if_narrowed, if_weighted, polynomial, times_cotangent, where

# From here on 1 / (2 E - 1) is in the domain of the polynomial.
NEAR = Constant(float32=1.0625, float64=1.0625)
# A product with a cotangent is scaled only if the quotient is large enough.
NEAR_IF_WEIGHTED = Constant(float32="0x1p-60", float64="0x1p-500")
OVERFLOWS_BELOW = Constant(float32="0x1p-70", float64="0x1p-520")
# SCALE by the scale of `exponential`
RESCALING = Constant(float32="0x1p96", float64="0x1p576")


def log1mexp(x):
    """log(1 - exp(x)); nan above 0, -0.0 at -infinity"""
    a = bounded_magnitude(x, 1.0)
    is_near, power, step, ratio, low, scale, final_scale = scaled_exponential(a)
    high, high_low, lead, lead_low = logarithm(power, step, ratio, low, scale, is_near)
    start = high - a
    start_low = two_sum_error(high, -a, start) + high_low
    far = lead + lead_low
    near_lead = lead + (start_low + lead_low)
    near = start + near_lead
    near_low = two_sum_error(start, near_lead, near) + ((lead - near_lead) + (start_low + lead_low))
    value = round_to_odd(where(is_near, near, far), where(is_near, near_low, (lead - far) + lead_low))
    odd_value = value * where(is_near, 1.0, final_scale)

    q, q_low, p, p_low = quotients(power, step, ratio, low, scale)
    grad = times_cotangent(-odd_if_narrowed(q, q_low)) * final_scale
    grad2 = second_derivative(a, q, q_low, p, p_low, final_scale)
    quick, quick_grad = log1mexp_of_negative(x)
    at_zero = where(x == 0.0, -INFINITY, NAN)
    is_inside = x < 0.0
    return (
        where(is_inside, if_narrowed(odd_value, quick), at_zero),
        where(is_inside, if_weighted(grad, if_narrowed(grad, quick_grad)), times_cotangent(at_zero)),
        where(is_inside, grad2, at_zero),
    )


def softplus_inverse(x):
    """log(exp(x) - 1) = x + log(1 - exp(-x)); nan below 0"""
    is_near, power, step, ratio, low, scale, final_scale = scaled_exponential(bounded_magnitude(x, 1.0))
    log, log_low, lead, lead_low = logarithm(power, step, ratio, low, scale, is_near)
    high = where(is_near, log, x)
    unit = where(is_near, 1.0, scale)
    rest_low = fma(lead_low, unit, where(is_near, log_low, 0.0))
    rest = fma(lead, unit, rest_low)
    value = high + rest
    value_low = two_sum_error(high, rest, value) + (fma(lead, unit, -rest) + rest_low)
    odd_value = round_to_odd(value, value_low)

    q, q_low, p, p_low = quotients(power, step, ratio, low, scale)
    grad = odd_if_narrowed(p, p_low)
    is_tiny = x < NEAR_IF_WEIGHTED
    weighted = times_cotangent(where(is_tiny, q, grad)) * where(is_tiny, SCALE, 1.0)
    grad2 = second_derivative(x, q, q_low, p, p_low, final_scale)
    quick, quick_grad = softplus_inverse_of_positive(x)
    at_zero = where(x == 0.0, INFINITY, NAN)
    is_inside = x > 0.0
    return (
        where(is_inside, if_narrowed(odd_value, quick), -at_zero),
        where(is_inside, if_weighted(weighted, if_narrowed(grad, quick_grad)), times_cotangent(at_zero)),
        where(is_inside, grad2, -at_zero),
    )


def scaled_exponential(a):
    """is_near, power, step, ratio, low, scale, final_scale; scale * E = power + step * ratio + low."""
    power, r, ratio, _, low, scale, final_scale = exponential(a, -0.0)
    is_near = a < if_weighted(NEAR_IF_WEIGHTED, NEAR)
    rescaling = where(is_near, if_weighted(SCALE, RESCALING), 1.0)
    rescaled = power * rescaling
    return (
        is_near,
        rescaled,
        rescaled * r,
        ratio,
        low * rescaling,
        where(is_near, SCALE, scale),
        where(is_near, SCALE, final_scale),
    )


def logarithm(power, step, ratio, low, scale, is_near):
    """high, high_low, lead, lead_low: their sum is log(E - 1) where near; scale * (lead + lead_low)
    is log(1 - 1 / E) elsewhere.
    """
    k, s = exponent(fma(step, ratio, power - scale))
    # E - 1 by 2^k, less 1 and plus 1
    less_one, less_one_low = multiply_add(s * step, ratio, s * low, fma(s, power - scale, -1.0))
    plus_one = less_one + 2.0
    plus_one_low = ((2.0 - plus_one) + less_one) + less_one_low

    half_scale = 0.5 * scale
    less_half, less_half_low = multiply_add(step, ratio, low, power - half_scale)

    numerator = where(is_near, less_one, 1.0)
    denominator = where(is_near, plus_one, less_half)
    y = 1.0 / denominator
    quotient = numerator * y
    residual = fma(-quotient, denominator, numerator)
    more = where(is_near, less_one_low, 0.0)
    residual_low = fma(-quotient, where(is_near, plus_one_low, less_half_low), more)
    z = quotient * where(is_near, 1.0, half_scale)
    sign = where(is_near, 2.0, -1.0)
    lead = sign * quotient
    lead_low = fma(lead * (z * z), polynomial(z * z, ATANH_TAIL_LOGIT), sign * y * (residual + residual_low))
    high, high_low = times_ln2(k)
    return high, high_low, lead, lead_low


def quotients(power, step, ratio, low, scale):
    """q = 1 / (E - 1), divided by scale, and p = E / (E - 1) = 1 + q, as double-doubles."""
    expm1, expm1_low = multiply_add(step, ratio, low, power - scale)
    y = 1.0 / expm1
    correction = fma(-y, expm1_low, fma(-y, expm1, 1.0))
    q = fma(y, correction, y)
    q_low = fma(y, correction, y - q)
    p = fma(q, scale, 1.0)
    return q, q_low, p, fma(q_low, scale, fma(q, scale, 1.0 - p))


def second_derivative(a, q, q_low, p, p_low, final_scale):
    """-E / (E - 1)^2, the second derivative of both."""
    product, product_low = multiply(p, p_low, q, q_low)
    return where(a < OVERFLOWS_BELOW, -INFINITY, -odd_if_narrowed(product, product_low) * final_scale)
