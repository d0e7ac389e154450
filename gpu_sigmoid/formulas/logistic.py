"""The functions that rest on exp(abs(x)), but silu. `parts` says what E, shrink and pairs mean."""

from gpu_sigmoid.formulas.parts import (
    bounded_magnitude,
    exp_parts,
    log1p_exp,
    logistic,
    product,
    renormalized,
    round_to_odd,
    rounded,
    side_of,
    softplus_near_zero,
    sum_error,
    tanh_half,
)
from gpu_sigmoid.lowering.language import fma, if_narrowed, if_weighted, times_cotangent, where


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    magnitude = bounded_magnitude(x)
    power, r, growth, low, shrink, last = exp_parts(magnitude)
    q, q_low, rest, rest_low, quick_slope = logistic(power, power * r, growth, low, shrink)
    slope, slope_low = product(q, q_low, rest, rest_low)
    tanh, tanh_low = tanh_half(magnitude, power, r, growth, q, q_low)
    bend, bend_low = product(slope, slope_low, tanh, tanh_low)
    curvature = rounded(bend, bend_low) * last
    return (
        side_of(x, q, rounded(q, q_low), rounded(rest, rest_low), shrink, last),
        times_cotangent(if_narrowed(rounded(slope, slope_low), quick_slope)) * last,
        where(x < 0.0, curvature, -curvature),
    )


def softplus(x):
    """log(1 + exp(x))

    The derivatives are the sigmoid and its derivative.
    """
    magnitude = bounded_magnitude(x)
    power, r, growth, low, shrink, last = exp_parts(magnitude)
    y, tail = log1p_exp(power, power * r, growth, low, shrink)
    left = fma(y, tail, y)
    left_low = fma(y, tail, y - left)

    # the sum of x and y (1 + tail), the larger of x and y first
    start = y * shrink
    larger = where(magnitude > start, magnitude, start)
    smaller = where(magnitude > start, start, magnitude)
    near, near_low = softplus_near_zero(x)
    is_near = abs(x) < 0.25
    total = where(is_near, near, x + start)
    total_low = where(is_near, near_low, fma(start, tail, (larger - (magnitude + start)) + smaller))
    right = total + total_low
    right_low = (total - right) + total_low

    grad, grad2, _ = sigmoid(x)
    value = where(x <= -0.25, rounded(left, left_low) * last, rounded(right, right_low))
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
    power, r, growth, low, shrink, last = exp_parts(bounded_magnitude(x))
    y, tail = log1p_exp(power, power * r, growth, low, shrink)
    q, q_low, rest, rest_low, quick_slope = logistic(power, power * r, growth, low, shrink)
    slope, slope_low = product(q, q_low, rest, rest_low)
    miss = where(x < 0.0, target, 1.0 - target)

    # an infinite logit on the right side costs nothing
    linear = where(miss == 0.0, 0.0, abs(x) * miss)
    log = fma(y, tail, y)
    value = fma(log, shrink, linear)
    log_low = fma(y, tail, y - log)
    value_low = sum_error(linear, log * shrink, value) + fma(log_low, shrink, fma(abs(x), miss, -linear))
    side = where(x < 0.0, -target, miss)
    step = where(x < 0.0, q, -q)
    step_low = where(x < 0.0, q_low, -q_low)
    grad = fma(step, last, side)
    grad_low = fma(step_low, last, sum_error(side, step * last, grad))

    # The value cancels for targets outside [0, 1] alone, the derivative beside any sigmoid(x).
    cost = where(value == 0.0, value_low, value)
    difference, difference_low = renormalized(grad, grad_low)
    grad = if_narrowed(round_to_odd(difference, difference_low), grad)
    weighted = where(side == 0.0, times_cotangent(step) * last, times_cotangent(grad))
    return (
        if_narrowed(round_to_odd(cost, value_low), value),
        if_weighted(weighted, grad),
        if_narrowed(rounded(slope, slope_low), quick_slope) * last,
    )
