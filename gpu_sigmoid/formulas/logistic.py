"""The functions that rest on exp(abs(x)), but silu. `parts` says what E, SHRINK and pairs mean."""

from gpu_sigmoid.formulas.parts import (
    SHRINK,
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
from gpu_sigmoid.lowering.language import fma, if_narrowed, where

HAIR = Constant(float32="0x1p-126", float64="0x1p-1022")


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    magnitude = bounded_magnitude(x)
    power, r, growth, low = exp_parts(magnitude)
    q, q_low, rest, rest_low, quick_slope = logistic(power, power * r, growth, low)
    slope, slope_low = product(q, q_low, rest, rest_low)
    tanh, tanh_low = tanh_half(magnitude, power, r, growth, q, q_low)
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
    y, tail = log1p_exp(power, power * r, growth, low)
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


def bce_with_logits(x, target):
    """log(1 + exp(x)) - x * target

    = log(1 + 1/E) + abs(x) * miss, where miss, the target's distance to the side x is
    on, is not negative for a target in [0, 1]: nothing cancels.
    """
    power, r, growth, low = exp_parts(bounded_magnitude(x))
    y, tail = log1p_exp(power, power * r, growth, low)
    q, q_low, rest, rest_low, quick_slope = logistic(power, power * r, growth, low)
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
