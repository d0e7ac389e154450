"""The functions that rest on exp(abs(x)). `parts` says what E, SHRINK and pairs mean."""

from gpu_sigmoid.formulas.coefficients import (
    SILU_BEND_HIGH,
    SILU_BEND_LOW,
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOW,
    SILU_SLOPE_TAIL,
)
from gpu_sigmoid.formulas.parts import (
    SHRINK,
    UNSHRINK,
    bounded_magnitude,
    exp_parts,
    log1p_exp,
    logistic,
    product,
    rounded,
    softplus_near_zero,
    sum_error,
    tanh_half,
)
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import fma, if_narrowed, polynomial, where

HAIR = Constant(float32="0x1p-126", float64="0x1p-1022")


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    magnitude = bounded_magnitude(x)
    power, r, growth, low = exp_parts(magnitude)
    q, q_low, rest, rest_low, quick_slope = logistic(power, r, growth, low)
    slope, slope_low = product(q, q_low, rest, rest_low)
    tanh, tanh_low = tanh_half(magnitude, power, r, growth, q, q_low, rest, rest_low)
    bend, bend_low = product(slope, slope_low, tanh, tanh_low)
    curvature = rounded(bend, bend_low) * SHRINK
    return (
        if_narrowed(
            where(x < 0.0, rounded(q, q_low) * SHRINK, rounded(rest, rest_low)),
            fma(q, where(x < 0.0, SHRINK, -SHRINK), where(x < 0.0, 0.0, 1.0)),
        ),
        if_narrowed(rounded(slope, slope_low), quick_slope) * SHRINK,
        where(x < 0.0, curvature, -curvature),
    )


def softplus(x):
    """log(1 + exp(x))

    The derivatives are the sigmoid and its derivative.
    """
    magnitude = bounded_magnitude(x)
    power, r, growth, low = exp_parts(magnitude)
    y, tail = log1p_exp(power, r, growth, low)
    left = fma(y, tail, y)
    left_low = fma(y, tail, y - left)

    # the sum of x and y (1 + tail), the larger of x and y first
    start = y * SHRINK
    larger = where(magnitude > start, magnitude, start)
    smaller = where(magnitude > start, start, magnitude)
    near, near_low = softplus_near_zero(x)
    is_near = abs(x) < 0.25
    total = where(is_near, near, x + start)
    total_low = where(is_near, near_low, fma(start, tail, (larger - (magnitude + start)) + smaller))
    right = total + total_low
    right_low = (total - right) + total_low

    grad, grad2, _ = sigmoid(x)
    value = where(x <= -0.25, rounded(left, left_low) * SHRINK, rounded(right, right_low))
    return value, grad, grad2


def log_sigmoid(x):
    """-log(1 + exp(-x)); -0.0 at infinity"""
    value, grad, grad2 = softplus(-x)
    return -value, grad, -grad2


def silu(x):
    """x / (1 + exp(-x)); -0.0 at -infinity

    With a = -abs(x): silu'(a) = q (1 - (1 - q) abs(x)) and silu'(-a) = 1 - silu'(a).
    The bracket vanishes at silu's minimum: around it a fit of silu' in the distance from
    there keeps the relative accuracy.
    """
    magnitude = bounded_magnitude(x)
    power, r, growth, low = exp_parts(magnitude)
    q, q_low, rest, rest_low, _ = logistic(power, r, growth, low)
    slope, slope_low = product(q, q_low, rest, rest_low)
    tanh, tanh_low = tanh_half(magnitude, power, r, growth, q, q_low, rest, rest_low)

    left = magnitude * q
    left_low = fma(magnitude, q_low, fma(magnitude, q, -left))
    right = fma(-magnitude, q * SHRINK, x)
    right_low = fma(-magnitude, q_low * SHRINK, fma(-magnitude, q * SHRINK, x - right))

    past = (-magnitude - SILU_MINIMUM_HIGH) - SILU_MINIMUM_LOW
    past_low = ((-magnitude - SILU_MINIMUM_HIGH) - past) - SILU_MINIMUM_LOW
    bent = fma(past_low, SILU_BEND_HIGH, past * fma(past, polynomial(past, SILU_SLOPE_TAIL), SILU_BEND_LOW))
    near = fma(past, SILU_BEND_HIGH, bent)
    near_low = fma(past, SILU_BEND_HIGH, -near) + bent

    weighed = magnitude * rest
    bracket = 1.0 - weighed
    lost = fma(magnitude, rest_low, fma(magnitude, rest, -weighed))
    bracket_low = if_narrowed(sum_error(1.0, -weighed, bracket) - lost, -lost)
    far, far_low = product(q, q_low, bracket, bracket_low)

    is_near = abs(past) < 0.25
    fall = where(is_near, near * UNSHRINK, far)
    fall_low = where(is_near, near_low * UNSHRINK, far_low)
    rise = fma(-fall, SHRINK, 1.0)
    rise_low = fma(-fall_low, SHRINK, fma(-fall, SHRINK, 1.0 - rise))

    turn = fma(-magnitude, tanh, 2.0)
    turn_low = fma(-magnitude, tanh_low, fma(-magnitude, tanh, 2.0 - turn))
    bend, bend_low = product(slope, slope_low, turn, turn_low)
    return (
        if_narrowed(
            where(x < 0.0, -rounded(left, left_low) * SHRINK, rounded(right, right_low)),
            fma(-left, SHRINK, where(x < 0.0, 0.0, x)),
        ),
        where(x < 0.0, rounded(fall, fall_low) * SHRINK, rounded(rise, rise_low)),
        rounded(bend, bend_low) * SHRINK,
    )


def bce_with_logits(x, target):
    """log(1 + exp(x)) - x * target

    = log(1 + 1/E) + abs(x) * miss, where miss, the target's distance to the side x is
    on, is not negative for a target in [0, 1]: nothing cancels.
    """
    power, r, growth, low = exp_parts(bounded_magnitude(x))
    y, tail = log1p_exp(power, r, growth, low)
    q, q_low, rest, rest_low, quick_slope = logistic(power, r, growth, low)
    slope, slope_low = product(q, q_low, rest, rest_low)
    miss = where(x < 0.0, target, 1.0 - target)

    # an infinite logit on the right side costs nothing
    linear = where(miss == 0.0, 0.0, abs(x) * miss)
    log = fma(y, tail, y)
    value = fma(log, SHRINK, linear)
    log_low = fma(y, tail, y - log)
    value_low = sum_error(linear, log * SHRINK, value) + fma(log_low, SHRINK, fma(abs(x), miss, -linear))
    # the logarithm may underflow, but it is positive: what looks like a tie is above one
    value_low = if_narrowed(where(value_low == 0.0, HAIR, value_low), value_low)

    side = where(x < 0.0, -target, miss)
    step = where(x < 0.0, q, -q)
    step_low = where(x < 0.0, q_low, -q_low)
    grad = fma(step, SHRINK, side)
    grad_low = fma(step_low, SHRINK, sum_error(side, step * SHRINK, grad))
    return (
        rounded(value, value_low),
        rounded(grad, grad_low),
        if_narrowed(rounded(slope, slope_low), quick_slope) * SHRINK,
    )
