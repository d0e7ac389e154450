"""The cross-entropy with a pos_weight, the factor of the loss of targets of 1."""

from gpu_sigmoid.formulas.double_double import fast_two_sum, multiply, round_to_odd, two_sum_error
from gpu_sigmoid.formulas.exponential import (
    NEGLIGIBLE_IF_NARROWED,
    NEGLIGIBLE_IF_WEIGHTED,
    REACH,
    SCALE,
    exponential,
    magnitude_within,
)
from gpu_sigmoid.formulas.products import in_order
from gpu_sigmoid.formulas.quotients import log1p_exp, logistic
from gpu_sigmoid.lowering.constants import LARGEST, Constant
from gpu_sigmoid.lowering.language import cotangent, fma, if_narrowed, if_weighted, times_cotangent, where

# Up to this pos_weight, logarithms beyond REACH contribute nothing.
UP = Constant(float32="0x1p38", float64="0x1p440")
DOWN = Constant(float32="0x1p-38", float64="0x1p-440")
# Up to this weight, the product with a scaled derivative is finite.
HUGE = Constant(float32="0x1p62", float64="0x1p510")
# More than a rounding's part in a sum.
SMALL_PART = Constant(float32="0x1p-20", float64="0x1p-49")


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

    scaled_weight = if_weighted(weight * final_scale, fma(pos_weight * SCALE, target, miss * SCALE))

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
    value = if_narrowed(
        fma(finite_share, scale, linear), quick_value(x, target, pos_weight, miss, scaled_weight, y, tail)
    )
    value_low = two_sum_error(linear, share * scale, value) + fma(share_low, scale, linear_low)
    value_high = where(value == 0.0, value_low, value)

    # (1 - target) - weight * sigmoid(-x)
    signed_q = where(x < 0.0, q, -q)
    signed_distance = where(x < 0.0, -hit, miss)
    part, part_low = multiply(signed_q, where(x < 0.0, q_low, -q_low), weight, weight_low)
    # a hit that is rounded first would cost a whole unit where sigmoid(-x) is just below a half
    quick_grad = where(
        x < 0.0,
        fma(-pos_weight, target, signed_q * scaled_weight),
        fma(signed_q, scaled_weight, miss),
    )
    grad = if_narrowed(fma(part, final_scale, signed_distance), quick_grad)
    grad_error = two_sum_error(signed_distance, part * final_scale, grad)
    grad_low = fma(part_low, final_scale, grad_error) + where(x < 0.0, -hit_low, miss_low)
    normalized, normalized_low = fast_two_sum(grad, grad_low)
    grad = if_narrowed(round_to_odd(normalized, normalized_low), grad)
    # beside a large weight, the product with the cotangent may underflow although that of all does not
    first, second = in_order(cotangent(), weight)
    vjp = where(is_alone, signed_q * first * second * final_scale, times_cotangent(grad))
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
        if_weighted(vjp, grad),
        by_target,
        where(target == 0.0, 0.0, by_weight),
        if_narrowed(round_to_odd(grad2, grad2_low) * final_scale, quick_grad2),
        fma(signed_q, (pos_weight - 1.0) * final_scale, where(x < 0.0, -pos_weight, -1.0)),
        where(x < 0.0, p, q * final_scale) * -target,
        0.0,
        cost,
        0.0,
    )


def quick_value(x, target, pos_weight, miss, scaled_weight, y, tail):
    """The value with few operations, which makes up for the rounding of 1 - target alone.

    Without that, the weight would be rounded twice, and the value be off by more than its bound.
    """
    miss_low = fma(-target, SCALE, SCALE - miss * SCALE)
    # An infinite weight has no low part. The tail keeps a nan; a GPU's reciprocal of it is unspecified.
    low = y * where(scaled_weight < LARGEST, fma(scaled_weight, tail, miss_low), tail)
    share = fma(y, scaled_weight, low)
    first = where(x < 0.0, abs(x) * (pos_weight * DOWN), abs(x))
    last = where(x < 0.0, target * UP, miss)
    value = fma(first, last, share)
    # an infinite logit that costs 0 gives nan, from infinity times 0
    return where(value == value, value, share)


# Its terms cancel, as softplus(x) - x target do: `lower_for` takes another form for 16-bit results.
bce_with_logits_pos_weight.narrows = True
