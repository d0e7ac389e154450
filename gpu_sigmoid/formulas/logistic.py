"""The functions of exp(abs(x)) except silu; `exponential` defines scale, `quotients` q and p."""

from gpu_sigmoid.formulas.double_double import (
    fast_two_sum,
    multiply,
    odd_if_narrowed,
    round_to_odd,
    two_sum_error,
)
from gpu_sigmoid.formulas.exponential import bounded_magnitude, exponential
from gpu_sigmoid.formulas.quotients import (
    left_or_complement,
    log1p_exp,
    logistic,
    softplus_near_zero,
    tanh_half,
)
from gpu_sigmoid.lowering.language import fma, if_narrowed, if_weighted, times_cotangent, where


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    magnitude = bounded_magnitude(x, 1.0)
    power, r, ratio, _, low, scale, final_scale = exponential(magnitude, -0.0)
    q, q_low, p, p_low, quick_derivative = logistic(power, power * r, ratio, low, scale)
    odd = where(x < 0.0, round_to_odd(q, q_low) * final_scale, round_to_odd(p, p_low))
    derivative, derivative_low, second, second_low = derivatives(magnitude)
    grad2 = odd_if_narrowed(second, second_low) * final_scale
    return (
        if_narrowed(odd, left_or_complement(x, q, scale, final_scale)),
        times_cotangent(if_narrowed(round_to_odd(derivative, derivative_low), quick_derivative))
        * final_scale,
        where(x < 0.0, grad2, -grad2),
    )


def derivatives(magnitude):
    """sigmoid' and -sigmoid'' at a bounded magnitude, divided by final_scale, as double-doubles."""
    power, r, ratio, ratio_low, low, scale, _ = exponential(magnitude, -0.0)
    q, q_low, p, p_low, _ = logistic(power, power * r, ratio, low, scale)
    tanh, tanh_low = tanh_half(magnitude, power, r, ratio, ratio_low, q, q_low)
    derivative, derivative_low = multiply(q, q_low, p, p_low)
    second, second_low = multiply(derivative, derivative_low, tanh, tanh_low)
    return derivative, derivative_low, second, second_low


def softplus(x):
    """log(1 + exp(x))

    The derivatives are the sigmoid and its derivative.
    """
    magnitude = bounded_magnitude(x, 1.0)
    power, r, ratio, _, low, scale, final_scale = exponential(magnitude, -0.0)
    y, tail = log1p_exp(power, power * r, ratio, low, scale)
    left = fma(y, tail, y)
    left_low = fma(y, tail, y - left)

    # the sum of x and y (1 + tail), the larger of x and y first
    log = y * scale
    larger = where(magnitude > log, magnitude, log)
    smaller = where(magnitude > log, log, magnitude)
    near, near_low = softplus_near_zero(x)
    is_near = abs(x) < 0.25
    total = where(is_near, near, x + log)
    total_low = where(is_near, near_low, fma(log, tail, (larger - (magnitude + log)) + smaller))
    right = total + total_low
    right_low = (total - right) + total_low

    grad, grad2, _ = sigmoid(x)
    value = where(
        x <= -0.25, odd_if_narrowed(left, left_low) * final_scale, odd_if_narrowed(right, right_low)
    )
    return value, grad, grad2


def log_sigmoid(x):
    """-log(1 + exp(-x)); -0.0 at infinity"""
    value, grad, grad2 = softplus(-x)
    return -value, grad, -grad2


def bce_with_logits(x, target):
    """log(1 + exp(x)) - x * target

    = log(1 + 1/E) + abs(x) * distance, where the distance, from the target to 0 if x < 0 and to 1
    otherwise, is not negative for a target in [0, 1]: nothing cancels.
    """
    power, r, ratio, _, low, scale, final_scale = exponential(bounded_magnitude(x, 1.0), -0.0)
    y, tail = log1p_exp(power, power * r, ratio, low, scale)
    q, q_low, p, p_low, quick_derivative = logistic(power, power * r, ratio, low, scale)
    derivative, derivative_low = multiply(q, q_low, p, p_low)
    distance = where(x < 0.0, target, 1.0 - target)

    # An infinite logit on the side of a target of 0 or 1 costs 0, but infinity times 0 is nan.
    linear = where(distance == 0.0, 0.0, abs(x) * distance)
    log = fma(y, tail, y)
    value = fma(log, scale, linear)
    log_low = fma(y, tail, y - log)
    linear_low = fma(abs(x), distance, -linear)
    value_low = two_sum_error(linear, log * scale, value) + fma(log_low, scale, linear_low)

    # sigmoid(x) - target is q - target where x < 0, else (1 - target) - q
    signed_distance = where(x < 0.0, -target, distance)
    signed_q = where(x < 0.0, q, -q)
    signed_q_low = where(x < 0.0, q_low, -q_low)
    grad = fma(signed_q, final_scale, signed_distance)
    grad_error = two_sum_error(signed_distance, signed_q * final_scale, grad)
    grad_low = fma(signed_q_low, final_scale, grad_error)

    # Terms cancel in the value only for targets outside [0, 1], in the derivative near any sigmoid(x).
    value_high = where(value == 0.0, value_low, value)
    normalized, normalized_low = fast_two_sum(grad, grad_low)
    grad = if_narrowed(round_to_odd(normalized, normalized_low), grad)
    hard_vjp = times_cotangent(signed_q) * final_scale
    return (
        if_narrowed(round_to_odd(value_high, value_low), value),
        if_weighted(where(signed_distance == 0.0, hard_vjp, times_cotangent(grad)), grad),
        -x,
        if_narrowed(round_to_odd(derivative, derivative_low), quick_derivative) * final_scale,
        -1.0,
        0.0,
    )


# Its terms cancel, as softplus(x) - x target do: `lower_for` takes another form for 16-bit results.
bce_with_logits.narrows = True
