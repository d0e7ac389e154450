"""The references of functions of x alone."""

import math
from collections.abc import Callable

from gpu_sigmoid.verify.reference.elementary import (
    AROUND_SILU_MINIMUM,
    LN2,
    LN2_LOW,
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOW,
    TINY,
    jit,
    log1p_exp,
    s,
    slope,
)


@jit
def sigmoid_value(x):
    return s(x), 0.0, 0.0


@jit
def sigmoid_grad(x):
    return slope(x), 0.0, 0.0


@jit
def sigmoid_grad2(x):
    if abs(x) < TINY:
        return -x / 8.0, x * x * x / 24.0, 0.0
    return -slope(x) * math.tanh(x / 2.0), 0.0, 0.0


@jit
def softplus_value(x):
    return log1p_exp(x), 0.0, 0.0


@jit
def log_sigmoid_value(x):
    return -log1p_exp(-x), 0.0, 0.0


@jit
def log_sigmoid_grad(x):
    return s(-x), 0.0, 0.0


@jit
def log_sigmoid_grad2(x):
    return -slope(x), 0.0, 0.0


@jit
def silu_value(x):
    if abs(x) < TINY:
        return x / 2.0, x * x / 4.0, 0.0
    return x * s(x), 0.0, 0.0


@jit
def silu_grad(x):
    d = (x - SILU_MINIMUM_HIGH) - SILU_MINIMUM_LOW
    if abs(d) < 0.3:
        total = 0.0
        for i in range(len(AROUND_SILU_MINIMUM) - 1, -1, -1):
            total = total * d + AROUND_SILU_MINIMUM[i]
        return total * d, 0.0, 0.0
    return s(x) * (1.0 + x * s(-x)), 0.0, 0.0


@jit
def silu_grad2(x):
    left, right = 2.0 * slope(x), x * slope(x) * math.tanh(x / 2.0)
    return left - right, 0.0, max(abs(left), abs(right))


@jit
def tanh_value(x):
    if abs(x) < TINY:
        return x, -x * x * x / 3.0, 0.0
    return math.tanh(x), 0.0, 0.0


@jit
def tanh_grad(x):
    return 4.0 * slope(2.0 * x), 0.0, 0.0


@jit
def tanh_grad2(x):
    if abs(x) < TINY:
        return -2.0 * x, 8.0 * x * x * x / 3.0, 0.0
    return -8.0 * slope(2.0 * x) * math.tanh(x), 0.0, 0.0


@jit
def logit_value(x):
    if 0.25 < x < 0.75:
        return math.log1p((2.0 * x - 1.0) / (1.0 - x)), 0.0, 0.0
    return math.log(x) - math.log1p(-x), 0.0, 0.0


@jit
def logit_grad(x):
    return 1.0 / (x * (1.0 - x)), 0.0, 0.0


@jit
def logit_grad2(x):
    y = 1.0 / (x * (1.0 - x))
    return (2.0 * x - 1.0) * y * y, 0.0, 0.0


@jit
def log1mexp_value(x):
    return (math.log(-math.expm1(x)) if x > -LN2 else math.log1p(-math.exp(x))), 0.0, 0.0


@jit
def log1mexp_grad(x):
    return -1.0 / math.expm1(-x), 0.0, 0.0


@jit
def softplus_inverse_value(x):
    d = (x - LN2) - LN2_LOW
    if abs(d) < 0.3:
        return math.log1p(2.0 * math.expm1(d)), 0.0, 0.0
    return (math.log(math.expm1(x)) if x < 1.0 else x + math.log1p(-math.exp(-x))), 0.0, 0.0


@jit
def softplus_inverse_grad(x):
    return -1.0 / math.expm1(-x), 0.0, 0.0


@jit
def softplus_inverse_grad2(x):
    half = 2.0 * math.sinh(x / 2.0)
    return -1.0 / (half * half), 0.0, 0.0


OF_X: dict[tuple[str, str], Callable] = {
    ("sigmoid", "value"): sigmoid_value,
    ("sigmoid", "grad"): sigmoid_grad,
    ("sigmoid", "grad2"): sigmoid_grad2,
    ("log_sigmoid", "value"): log_sigmoid_value,
    ("log_sigmoid", "grad"): log_sigmoid_grad,
    ("log_sigmoid", "grad2"): log_sigmoid_grad2,
    ("softplus", "value"): softplus_value,
    ("softplus", "grad"): sigmoid_value,
    ("softplus", "grad2"): sigmoid_grad,
    ("silu", "value"): silu_value,
    ("silu", "grad"): silu_grad,
    ("silu", "grad2"): silu_grad2,
    ("tanh", "value"): tanh_value,
    ("tanh", "grad"): tanh_grad,
    ("tanh", "grad2"): tanh_grad2,
    ("logit", "value"): logit_value,
    ("logit", "grad"): logit_grad,
    ("logit", "grad2"): logit_grad2,
    ("log1mexp", "value"): log1mexp_value,
    ("log1mexp", "grad"): log1mexp_grad,
    ("log1mexp", "grad2"): softplus_inverse_grad2,
    ("softplus_inverse", "value"): softplus_inverse_value,
    ("softplus_inverse", "grad"): softplus_inverse_grad,
    ("softplus_inverse", "grad2"): softplus_inverse_grad2,
}
