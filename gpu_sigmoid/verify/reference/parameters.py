"""The references of functions of x and a target or a parameter."""

import math
from collections.abc import Callable

from gpu_sigmoid.verify.reference.elementary import TINY, jit, log1p_exp, s, slope
from gpu_sigmoid.verify.reference.of_x import sigmoid_grad, silu_grad, silu_grad2

# the products of two operands of at most 26 bits are exact


@jit
def softplus_beta_value(x, beta):
    return log1p_exp(beta * x) / beta, 0.0, 0.0


@jit
def softplus_beta_grad(x, beta):
    return s(beta * x), 0.0, 0.0


@jit
def softplus_beta_grad2(x, beta):
    return beta * slope(beta * x), 0.0, 0.0


@jit
def silu_beta_value(x, beta):
    if abs(beta * x) < TINY:
        return x / 2.0, x * (beta * x) / 4.0, 0.0
    return x * s(beta * x), 0.0, 0.0


@jit
def silu_beta_grad(x, beta):
    return silu_grad(beta * x)


@jit
def silu_beta_grad2(x, beta):
    high, low, scale = silu_grad2(beta * x)
    return beta * high, beta * low, abs(beta) * scale


@jit
def bce_value(x, t):
    distance = t if x < 0.0 else 1.0 - t
    # exact for factors of 24 and 29 bits
    linear = abs(x) * distance
    exact = x < 0.0 or (1.0 - distance == t and distance * 2.0**29 == math.floor(distance * 2.0**29))
    # of an underflowing number it only matters that it is positive
    log = max(math.log1p(math.exp(-abs(x))), 1e-300)
    high = linear + log
    low = (linear - high) + log
    if not exact or log > 2.0**-30 * linear or abs(low) < 2.0**-40 * log:
        low = 0.0
    scale = 0.0 if 0.0 <= t <= 1.0 else max(log1p_exp(x), abs(x * t))
    return high, low, scale


@jit
def bce_grad(x, t):
    if t == 0.0:
        return s(x), 0.0, 0.0
    if t == 1.0:
        return -s(-x), 0.0, 0.0
    return s(x) - t, 0.0, max(s(x), abs(t))


@jit
def weighted_bce_value(x, t, p):
    misses, hits = (1.0 - t) * log1p_exp(x), p * t * log1p_exp(-x)
    high = misses + hits
    # if everything except a small last part is exact, the rest may be the middle of two floats
    linear, rest = (1.0 - t) * x, ((1.0 - t) + p * t) * math.log1p(math.exp(-abs(x)))
    low = (linear - (linear + rest)) + rest
    exact = x > 0.0 and 1.0 - (1.0 - t) == t and (1.0 - t) * 2.0**29 == math.floor((1.0 - t) * 2.0**29)
    if exact and abs(rest) < 2.0**-30 * abs(linear) and abs(low) > 2.0**-40 * abs(rest):
        high = linear + rest
    else:
        low = 0.0
    return high, low, 0.0 if 0.0 <= t <= 1.0 else max(abs(misses), abs(hits))


@jit
def weighted_bce_grad(x, t, p):
    misses, hits = (1.0 - t) * s(x), p * t * s(-x)
    scale = 0.0 if t == 0.0 or t == 1.0 else max(abs(1.0 - t), abs((1.0 - t) + p * t) * s(-x))
    return misses - hits, 0.0, scale


@jit
def weighted_bce_grad2(x, t, p):
    scale = 0.0 if 0.0 <= t <= 1.0 else max(abs(1.0 - t), abs(p * t))
    return ((1.0 - t) + p * t) * slope(x), 0.0, scale * slope(x)


def of_x(evaluate):
    """Return the derivative's reference as a function of x and a target, which it ignores."""
    return jit(lambda x, t: evaluate(x))


OF_TWO: dict[tuple[str, str], Callable] = {
    ("softplus_beta", "value"): softplus_beta_value,
    ("softplus_beta", "grad"): softplus_beta_grad,
    ("softplus_beta", "grad2"): softplus_beta_grad2,
    ("silu_beta", "value"): silu_beta_value,
    ("silu_beta", "grad"): silu_beta_grad,
    ("silu_beta", "grad2"): silu_beta_grad2,
    ("bce_with_logits", "value"): bce_value,
    ("bce_with_logits", "grad"): bce_grad,
    ("bce_with_logits", "grad2"): of_x(sigmoid_grad),
}
OF_THREE: dict[tuple[str, str], Callable] = {
    ("bce_with_logits_pos_weight", "value"): weighted_bce_value,
    ("bce_with_logits_pos_weight", "grad"): weighted_bce_grad,
    ("bce_with_logits_pos_weight", "grad2"): weighted_bce_grad2,
}
