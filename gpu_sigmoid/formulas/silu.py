"""silu, whose exponential is taken around its minimum.

With q = 1 / (1 + exp(abs(x))), silu'(-abs(x)) = q (1 - (1 - q) abs(x)). The bracket
vanishes at silu's minimum -c, where exp(c) = 1 / (c - 1). With d = abs(x) - c, the distance
from there, it is

    1 - (1 - q) abs(x) = -d - q (exp(d) - 1 - d),

in which nothing cancels near d = 0: d keeps its relative accuracy, and everything else is of second
order. So the only exponential is that of d, with exp(abs(x)) = exp(c) exp(d), and the value and the
derivative use the same polynomial.

In the exponential, SILU_BASE stands for exp(c) and its logarithm for c. Its last place is zero,
as `quotients.reciprocal` wants it, and the difference is of second order as well.

The derivative's last product is left uncompensated: q's low part would bring its error from
2.5 units in the last place to about 2.1, and value_and_grad from 1.4 times the value's time
to 1.5. Beside a beta, with more operands to be unlucky with, it would be 2.6 units, and is kept.
"""

from gpu_sigmoid.formulas.coefficients import (
    EXPM1_TAIL,
    LN2_HIGH,
    LN2_LOW,
    LOG2_E,
    SILU_BASE,
    SILU_BASE_LOG_LESS_2LN2_HIGH,
    SILU_BASE_LOG_LESS_2LN2_LOW,
    SILU_BASE_LOG_LOW,
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOW,
)
from gpu_sigmoid.formulas.double_double import multiply, odd_if_narrowed, round_to_odd, two_sum_error
from gpu_sigmoid.formulas.exponential import (
    CAP_EXPONENT,
    SCALE,
    SCALE_EXPONENT,
    binary_exponent,
    bounded_magnitude,
    rounding_constant,
)
from gpu_sigmoid.formulas.quotients import left_or_complement, logistic
from gpu_sigmoid.lowering.language import fma, if_narrowed, polynomial, where

# c is nearest to 2 ln(2): exponents are two less than the integers n.
ROUND_SCALED = rounding_constant(SCALE_EXPONENT[0] - 2, SCALE_EXPONENT[1] - 2)
ROUND = rounding_constant(-2, -2)
CAPPED = rounding_constant(CAP_EXPONENT[0] - 2, CAP_EXPONENT[1] - 2)


def silu(x):
    """x / (1 + exp(-x)); -0.0 at -infinity

    silu'(abs(x)) = 1 - silu'(-abs(x)).
    """
    magnitude = bounded_magnitude(x, 1.0)
    power, expm1, low, scale, final_scale = exponential_around_minimum(magnitude)
    exp_c = power * SILU_BASE
    q, q_low, p, p_low, _ = logistic(exp_c, exp_c, expm1, exp_c * low, scale)

    left = magnitude * q
    left_low = fma(magnitude, q_low, fma(magnitude, q, -left))
    right = fma(-magnitude, q * scale, x)
    right_low = fma(-magnitude, q_low * scale, fma(-magnitude, q * scale, x - right))
    odd_value = where(x < 0.0, -round_to_odd(left, left_low) * final_scale, round_to_odd(right, right_low))

    d = magnitude + SILU_MINIMUM_HIGH
    expm1_less_d = fma(power, expm1, fma(-d - SILU_BASE_LOG_LOW, scale, power - scale))
    quick_grad = q * bracket(magnitude, -0.0, q, expm1_less_d)

    # For a result that is rounded again, as a double-double from the definition: no 16-bit x is near enough
    # to the minimum for the bracket's cancellation to matter.
    product = magnitude * p
    difference = 1.0 - product
    product_low = fma(magnitude, p_low, fma(magnitude, p, -product))
    difference_low = two_sum_error(1.0, -product, difference) - product_low
    grad, grad_low = multiply(q, q_low, difference, difference_low)
    complement = fma(-grad, scale, 1.0)
    complement_low = fma(-grad_low, scale, fma(-grad, scale, 1.0 - complement))
    odd_grad = where(
        x < 0.0, round_to_odd(grad, grad_low) * final_scale, round_to_odd(complement, complement_low)
    )

    grad2, grad2_low = second_derivative(magnitude, -0.0, q, q_low, p, p_low, scale)
    return (
        if_narrowed(odd_value, fma(-left, scale, where(x < 0.0, 0.0, x))),
        if_narrowed(odd_grad, left_or_complement(x, quick_grad, scale, final_scale)),
        odd_if_narrowed(grad2, grad2_low) * final_scale,
    )


def bracket(magnitude, magnitude_low, q, expm1_less_d):
    """1 - (1 - q) (magnitude + magnitude_low), where expm1_less_d is exp(d) - 1 - d."""
    d = magnitude + SILU_MINIMUM_HIGH
    d_low = two_sum_error(magnitude, SILU_MINIMUM_HIGH, d) + SILU_MINIMUM_LOW + magnitude_low
    return fma(-q, expm1_less_d, -d_low) - d


def second_derivative(magnitude, magnitude_low, q, q_low, p, p_low, scale):
    """silu'' = q p (2 - abs(x) tanh(abs(x) / 2)), with tanh(abs(x) / 2) = 1 - 2 q, divided by scale."""
    slope, slope_low = multiply(q, q_low, p, p_low)
    tanh = fma(-q, scale, p)
    tanh_low = fma(-q_low, scale, fma(-q, scale, p - tanh)) + p_low
    factor = fma(-magnitude, tanh, 2.0)
    factor_low = fma(-magnitude, tanh_low, fma(-magnitude, tanh, 2.0 - factor)) + magnitude_low * -tanh
    return multiply(slope, slope_low, factor, factor_low)


def exponential_around_minimum(magnitude):
    """power, expm1, its low part, scale, final_scale; scale * exp(d) = power * (1 + expm1).

    exp(d) = 2^(n - 2) * exp(r); for n = 2, r is d with all its relative accuracy.
    """
    above = magnitude - SILU_BASE_LOG_LESS_2LN2_HIGH
    n, power, scale, final_scale = binary_exponent(above, LOG2_E, SCALE, ROUND_SCALED, ROUND, CAPPED)
    reduced = fma(-n, LN2_HIGH, magnitude)
    # exact but for n = 0
    partly_reduced = reduced - SILU_BASE_LOG_LESS_2LN2_HIGH
    partly_reduced_low = two_sum_error(reduced, -SILU_BASE_LOG_LESS_2LN2_HIGH, partly_reduced)
    remainder = fma(n, LN2_LOW, SILU_BASE_LOG_LESS_2LN2_LOW)
    r = partly_reduced - remainder
    r_low = ((partly_reduced - r) - remainder) + partly_reduced_low
    square = r * r
    tail = polynomial(r, EXPM1_TAIL)
    expm1 = fma(square, tail, r)
    expm1_low = fma(square, tail, r - expm1) + fma(r, r, -square) * tail
    return power, expm1, fma(r_low, expm1, r_low + expm1_low), scale, final_scale
