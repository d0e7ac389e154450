"""silu, whose exponential is taken around its minimum.

With q = 1 / (1 + exp(abs(x))), silu'(-abs(x)) = q (1 - (1 - q) abs(x)). The bracket
vanishes at silu's minimum, where abs(x) = c and exp(c) = 1 / (c - 1). With d = abs(x) - c,
the distance from there, it is

    1 - (1 - q) abs(x) = -d - q (exp(d) - 1 - d),

in which nothing cancels near d = 0: d keeps its relative accuracy, all else is of second
order. So the one exponential is that of d, and exp(abs(x)) = exp(c) exp(d); the polynomial
that serves the value serves the derivative too.

In the exponential, SILU_BASE stands for exp(c) and its logarithm for c: it has its last
place free, as `parts.reciprocal` wants it, and the difference is of second order as well.

The derivative's last product is left uncompensated: q's low part would bring its error from
2.5 units in the last place to about 2.1, and value_and_grad from 1.4 times the value's time
to 1.5.
"""

from gpu_sigmoid.formulas.coefficients import (
    EXPM1_TAIL,
    LN2_HIGH,
    LN2_LOW,
    SILU_BASE,
    SILU_BASE_LOG_LESS_2LN2_HIGH,
    SILU_BASE_LOG_LESS_2LN2_LOW,
    SILU_BASE_LOG_LOW,
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOW,
)
from gpu_sigmoid.formulas.parts import (
    binary_exponent,
    bounded_magnitude,
    logistic,
    product,
    rounded,
    rounder,
    side_of,
    sum_error,
)
from gpu_sigmoid.lowering.language import fma, if_narrowed, polynomial, where

# c is nearest to 2 ln(2): integers n are counted from there.
SHRINKING_ROUNDER = rounder((-64 - 2, -512 - 2))
PLAIN_ROUNDER = rounder((-2, -2))
CAP = rounder((125 - 2, 1021 - 2))


def silu(x):
    """x / (1 + exp(-x)); -0.0 at -infinity

    silu'(abs(x)) = 1 - silu'(-abs(x)).
    """
    magnitude = bounded_magnitude(x)
    power, growth, low, shrink, last = exp_parts_around_minimum(magnitude)
    start = power * SILU_BASE
    q, q_low, rest, rest_low, _ = logistic(start, start, growth, start * low, shrink)

    left = magnitude * q
    left_low = fma(magnitude, q_low, fma(magnitude, q, -left))
    right = fma(-magnitude, q * shrink, x)
    right_low = fma(-magnitude, q_low * shrink, fma(-magnitude, q * shrink, x - right))

    past = magnitude + SILU_MINIMUM_HIGH
    past_low = sum_error(magnitude, SILU_MINIMUM_HIGH, past) + SILU_MINIMUM_LOW
    curved = fma(power, growth, fma(-past - SILU_BASE_LOG_LOW, shrink, power - shrink))
    bracket = fma(-q, curved, -past_low) - past
    quick_fall = q * bracket

    # to be rounded again, in two parts, from the definition: no 16-bit x is so near the minimum
    weighed = magnitude * rest
    plain = 1.0 - weighed
    lost = fma(magnitude, rest_low, fma(magnitude, rest, -weighed))
    fall, fall_low = product(q, q_low, plain, sum_error(1.0, -weighed, plain) - lost)
    rise = fma(-fall, shrink, 1.0)
    rise_low = fma(-fall_low, shrink, fma(-fall, shrink, 1.0 - rise))

    slope, slope_low = product(q, q_low, rest, rest_low)
    # tanh(magnitude / 2) = 1 - 2 q
    tanh = fma(-q, shrink, rest)
    tanh_low = fma(-q_low, shrink, fma(-q, shrink, rest - tanh)) + rest_low
    turn = fma(-magnitude, tanh, 2.0)
    turn_low = fma(-magnitude, tanh_low, fma(-magnitude, tanh, 2.0 - turn))
    bend, bend_low = product(slope, slope_low, turn, turn_low)
    return (
        if_narrowed(
            where(x < 0.0, -rounded(left, left_low) * last, rounded(right, right_low)),
            fma(-left, shrink, where(x < 0.0, 0.0, x)),
        ),
        side_of(x, quick_fall, rounded(fall, fall_low), rounded(rise, rise_low), shrink, last),
        rounded(bend, bend_low) * last,
    )


def exp_parts_around_minimum(magnitude):
    """power, growth with shrink * exp(d) = power * (1 + growth), growth's low part, shrink, last.

    exp(d) = 2^(n - 2) * exp(r); for n = 2, r is d with all its relative accuracy.
    """
    above = magnitude - SILU_BASE_LOG_LESS_2LN2_HIGH
    n, power, shrink, last = binary_exponent(above, SHRINKING_ROUNDER, PLAIN_ROUNDER, CAP)
    reduced = fma(-n, LN2_HIGH, magnitude)
    nearly = reduced - SILU_BASE_LOG_LESS_2LN2_HIGH  # exact but for n = 0
    lag = fma(n, LN2_LOW, SILU_BASE_LOG_LESS_2LN2_LOW)
    r = nearly - lag
    r_low = ((nearly - r) - lag) + sum_error(reduced, -SILU_BASE_LOG_LESS_2LN2_HIGH, nearly)
    square = r * r
    slant = polynomial(r, EXPM1_TAIL)
    growth = fma(square, slant, r)
    growth_low = fma(square, slant, r - growth) + fma(r, r, -square) * slant
    return power, growth, fma(r_low, growth, r_low + growth_low), shrink, last
