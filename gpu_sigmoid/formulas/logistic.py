"""The functions of exp(abs(x)) except silu; `exponential` defines scale, `quotients` q and p."""

from gpu_sigmoid.formulas.double_double import (
    fast_two_sum,
    multiply,
    odd_if_narrowed,
    round_to_odd,
    two_sum_error,
)
from gpu_sigmoid.formulas.exponential import (
    NEGLIGIBLE_IF_NARROWED,
    NEGLIGIBLE_IF_WEIGHTED,
    REACH,
    bounded_magnitude,
    exponential,
    magnitude_within,
)
from gpu_sigmoid.formulas.quotients import (
    left_or_complement,
    log1p_exp,
    logistic,
    softplus_near_zero,
    tanh_half,
)
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import fma, if_narrowed, if_weighted, times_cotangent, where

# Up to this pos_weight, logarithms beyond REACH contribute nothing.
UP = Constant(float32="0x1p38", float64="0x1p440")
DOWN = Constant(float32="0x1p-38", float64="0x1p-440")
# Up to this weight, the product with a scaled derivative is finite.
HUGE = Constant(float32="0x1p62", float64="0x1p510")
# More than a rounding's part in a sum.
SMALL_PART = Constant(float32="0x1p-20", float64="0x1p-49")
LARGEST = Constant(float32="0x1.fffffep+127", float64="0x1.fffffffffffffp+1023")


def sigmoid(x):
    """1 / (1 + exp(-x))"""
    return sigmoid_of(x, bounded_magnitude(x, 1.0), -0.0)


def sigmoid_of(x, magnitude, magnitude_low):
    """The sigmoid's jet at a number of that sign and magnitude; the low part is -0.0 if there is none."""
    power, r, ratio, _, low, scale, final_scale = exponential(magnitude, magnitude_low)
    q, q_low, p, p_low, quick_derivative = logistic(power, power * r, ratio, low, scale)
    derivative, derivative_low, second, second_low = derivatives(magnitude, magnitude_low)
    grad2 = odd_if_narrowed(second, second_low) * final_scale
    return (
        left_or_complement(x, q, round_to_odd(q, q_low), round_to_odd(p, p_low), scale, final_scale),
        times_cotangent(if_narrowed(round_to_odd(derivative, derivative_low), quick_derivative))
        * final_scale,
        where(x < 0.0, grad2, -grad2),
    )


def derivatives(magnitude, magnitude_low):
    """sigmoid' and -sigmoid'' at a bounded magnitude, divided by final_scale, as double-doubles."""
    power, r, ratio, ratio_low, low, scale, _ = exponential(magnitude, magnitude_low)
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


def bce_with_logits_pos_weight(x, target, pos_weight):
    """(1 - target) * x + (1 + (pos_weight - 1) * target) * log(1 + exp(-x))

    = weight * log(1 + 1/E) + abs(x) * distance, with weight = (1 - target) + pos_weight * target. The
    distance is the first of its two terms where x >= 0, otherwise the second. Nothing is negative for a
    target in [0, 1] and a pos_weight >= 0, so that nothing cancels.
    """
    miss = 1.0 - target
    miss_low = two_sum_error(1.0, -target, miss)
    hit = pos_weight * target
    hit_low = fma(pos_weight, target, -hit)
    # With a large weight, small logarithms matter again. For a result that is rounded again, it matters
    # beside another term that they are not 0.
    is_alone = where(x < 0.0, hit, miss) == 0.0
    reach = if_narrowed(where(is_alone, REACH, NEGLIGIBLE_IF_NARROWED), REACH)
    magnitude = magnitude_within(x, if_weighted(NEGLIGIBLE_IF_WEIGHTED, reach))
    power, r, ratio, _, low, scale, final_scale = exponential(magnitude, -0.0)
    y, tail = log1p_exp(power, power * r, ratio, low, scale)
    q, q_low, p, p_low, _ = logistic(power, power * r, ratio, low, scale)

    weight = if_narrowed(miss + hit, fma(pos_weight, target, miss))
    weight_low = two_sum_error(miss, hit, weight) + (miss_low + hit_low)
    # of a huge weight it overflows, or is nan
    is_huge = abs(weight) > HUGE
    rounded_off = where(is_huge, 0.0, weight_low)

    # The distance may underflow, and abs(x) * pos_weight overflow, although the product of all three does
    # neither. An infinite logit that costs 0 gives nan, from infinity times 0.
    factor = where(x < 0.0, pos_weight * DOWN, DOWN)
    first = abs(x) * factor
    last = where(x < 0.0, target, miss) * UP
    product = first * last
    is_number = product == product
    linear = where(is_number, product, 0.0)
    # of an infinite product there is no low part
    rest = fma(fma(abs(x), factor, -first), last, fma(first, last, -product))
    with_rest = fma(abs(x), where(x < 0.0, 0.0, miss_low), rest)
    linear_low = where(abs(with_rest) < abs(linear) * SMALL_PART, with_rest, 0.0)
    log = fma(y, tail, y)
    log_low = fma(y, tail, y - log)
    share, share_low = multiply(log, log_low, weight, weight_low)
    # for an infinite weight the parts of the share are nan
    finite_share = where(weight > LARGEST, weight, share)
    quick_value = fma(log, weight * scale, fma(log * rounded_off, scale, linear_low) + linear)
    value = if_narrowed(fma(finite_share, scale, linear), quick_value)
    value_low = two_sum_error(linear, share * scale, value) + fma(share_low, scale, linear_low)
    value_high = where(value == 0.0, value_low, value)

    # (1 - target) - weight * sigmoid(-x)
    signed_q = where(x < 0.0, q, -q)
    signed_distance = where(x < 0.0, -hit, miss)
    part, part_low = multiply(signed_q, where(x < 0.0, q_low, -q_low), weight, weight_low)
    # with what a hit's rounding costs, a whole unit where sigmoid(-x) is just below a half
    quick_grad = fma(signed_q, weight * final_scale, signed_distance) + where(x < 0.0, -hit_low, -0.0)
    grad = if_narrowed(fma(part, final_scale, signed_distance), quick_grad)
    grad_error = two_sum_error(signed_distance, part * final_scale, grad)
    grad_low = fma(part_low, final_scale, grad_error) + where(x < 0.0, -hit_low, miss_low)
    normalized, normalized_low = fast_two_sum(grad, grad_low)
    grad = if_narrowed(round_to_odd(normalized, normalized_low), grad)
    hard_vjp = times_cotangent(signed_q) * weight * final_scale
    power, r, ratio, _, low, scale, final_scale = exponential(magnitude_within(x, REACH), -0.0)
    q, q_low, p, p_low, quick_derivative = logistic(power, power * r, ratio, low, scale)
    derivative, derivative_low = multiply(q, q_low, p, p_low)
    grad2, grad2_low = multiply(derivative, derivative_low, weight, weight_low)
    # a huge weight overflows unless the scale comes first
    scaled = fma(quick_derivative, weight * where(is_huge, final_scale, 1.0), quick_derivative * rounded_off)
    quick_grad2 = scaled * where(is_huge, 1.0, final_scale)

    # by the target and by pos_weight: (pos_weight - 1) * cost - x, target * cost with cost = log(1 + exp(-x))
    rise = where(x < 0.0, pos_weight, -1.0)
    product = abs(x) * rise
    by_target = fma(log, (pos_weight - 1.0) * scale, where(product == product, product, 0.0))
    cost = fma(log, scale, where(x < 0.0, -x, 0.0))
    weighted_cost = where(x < 0.0, times_cotangent(cost), times_cotangent(log) * final_scale)
    by_weight = target * if_weighted(weighted_cost, cost)
    return (
        if_narrowed(round_to_odd(value_high, value_low), value),
        if_weighted(where(signed_distance == 0.0, hard_vjp, times_cotangent(grad)), grad),
        by_target,
        where(target == 0.0, 0.0, by_weight),
        if_narrowed(round_to_odd(grad2, grad2_low) * final_scale, quick_grad2),
        fma(signed_q, (pos_weight - 1.0) * final_scale, where(x < 0.0, -pos_weight, -1.0)),
        where(x < 0.0, p, q * final_scale) * -target,
        0.0,
        cost,
        0.0,
    )


# As softplus(x) - x target: `lower_for` asks.
bce_with_logits.terms_cancel = bce_with_logits_pos_weight.terms_cancel = True
