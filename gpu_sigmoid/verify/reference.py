"""The definitions in float64, in forms that do not cancel: for operands of at most 32 bits.

Their own error is some units of 2^-53, relative; measured against `definitions` by the
tests, and bounded by `ERROR`. That decides errors in units of float32 to 2^-26 of one.
What it leaves open, whether a result next to the middle of two floats is the nearer
one, goes to mpmath.

Each returns (high, low, scale): the result; what float64 cannot hold of it, to some
digits, where that decides between neighbours for millions of operands (0: not known);
and the larger term (0: the result itself), see `definitions.larger_term`.
"""

import math
from collections.abc import Callable

import numba
import numpy as np
from mpmath import exp as mp_exp
from mpmath import findroot, mp, mpf

ERROR = 2.0**-50

# The least normal number of float32, in which 16-bit results are computed too.
LEAST_NORMAL = 2.0**-126

# Below, the second term of a series is beyond float64, and the third beyond that.
TINY = 2.0**-54


def _expansion() -> tuple[float, float, np.ndarray]:
    """Return the zero of silu' in two parts, and its Taylor coefficients there."""
    with mp.workdps(50):
        zero = findroot(lambda x: 1 + x + mp_exp(x), mpf("-1.278"))
        s = lambda x: 1 / (1 + mp_exp(-x))  # noqa: E731
        terms = mp.taylor(lambda x: s(x) * (1 + x * (1 - s(x))), zero, 22)
        return float(zero), float(zero - mpf(float(zero))), np.array([float(t) for t in terms[1:]])


ZERO_HIGH, ZERO_LOW, AROUND_ZERO = _expansion()

LN2 = math.log(2.0)
with mp.workdps(50):
    LN2_LOW = float(mp.ln(2) - mpf(LN2))

jit = numba.njit(error_model="numpy")


@jit
def s(x):
    e = math.exp(-abs(x))
    return e / (1.0 + e) if x < 0.0 else 1.0 / (1.0 + e)


@jit
def slope(x):
    e = math.exp(-abs(x))
    return e / ((1.0 + e) * (1.0 + e))


@jit
def log1p_exp(x):
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


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
    d = (x - ZERO_HIGH) - ZERO_LOW
    if abs(d) < 0.3:
        total = 0.0
        for i in range(len(AROUND_ZERO) - 1, -1, -1):
            total = total * d + AROUND_ZERO[i]
        return total * d, 0.0, 0.0
    return s(x) * (1.0 + x * s(-x)), 0.0, 0.0


@jit
def silu_grad2(x):
    left, right = 2.0 * slope(x), x * slope(x) * math.tanh(x / 2.0)
    return left - right, 0.0, max(abs(left), abs(right))


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


@jit
def bce_value(x, t):
    distance = t if x < 0.0 else 1.0 - t
    # exact for factors of 24 and 29 bits
    linear = abs(x) * distance
    exact = x < 0.0 or (1.0 - distance == t and distance * 2.0**29 == math.floor(distance * 2.0**29))
    # of what underflows, it matters that it is positive
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
def silu_grad_by_terms(x):
    return silu_grad(x)[0], 0.0, max(s(x), abs(x) * slope(x))


@jit
def nothing(x):
    return 0.0, 0.0, 0.0


@jit
def times(factor, of):
    high, low, scale = of
    return factor * high, factor * low, abs(factor) * scale


def of_two(evaluate, place, multiplied):
    """Return a reference of x, in its place, and another operand, which it may be multiplied by."""
    if not multiplied:
        return jit((lambda a, b: evaluate(b)) if place else (lambda a, b: evaluate(a)))
    return jit((lambda a, b: times(a, evaluate(b))) if place else (lambda a, b: times(b, evaluate(a))))


@jit
def weighted_bce_value(x, t, p):
    misses, hits = (1.0 - t) * log1p_exp(x), p * t * log1p_exp(-x)
    high = misses + hits
    # where all but a last, small part is exact, it may be the middle of two floats
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
    """Return the derivative's reference as a function of x and a target, which it does not depend on."""
    return jit(lambda x, t: evaluate(x))


def vjp_of_x(grad):
    @jit
    def vjp(x, c):
        high, _, scale = grad(x)
        return c * high, 0.0, abs(c) * scale

    return vjp


def vjp_of_two(grad, least):
    @jit
    def vjp(x, t, c):
        high, _, scale = grad(x, t)
        return c * high, 0.0, abs(c) * max(abs(high), scale, least)

    return vjp


def vjp_of_product(grad):
    return jit(lambda a, b, c: times(c, grad(a, b)))


def vjp_of_three(grad):
    @jit
    def vjp(x, t, p, c):
        high, _, scale = grad(x, t, p)
        return c * high, 0.0, abs(c) * max(abs(high), scale, LEAST_NORMAL)

    return vjp


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
PRODUCTS: dict[str, tuple[int, dict[str, tuple[tuple[Callable, bool], ...]]]] = {
    "glu": (
        1,
        {
            "value": ((sigmoid_value, True),),
            "grad": ((sigmoid_value, False), (sigmoid_grad, True)),
            "grad2": ((nothing, False), (sigmoid_grad, False), (sigmoid_grad2, True)),
        },
    ),
    "swiglu": (
        0,
        {
            "value": ((silu_value, True),),
            "grad": ((silu_grad_by_terms, True), (silu_value, False)),
            "grad2": ((silu_grad2, True), (silu_grad_by_terms, False), (nothing, False)),
        },
    ),
}
"""The place of x; and for each result what it is of x, and whether the other operand is its factor."""
OF_PRODUCTS = {
    (name, mode): tuple(of_two(evaluate, x, multiplied) for evaluate, multiplied in results)
    for name, (x, modes) in PRODUCTS.items()
    for mode, results in modes.items()
}
OF_THREE: dict[tuple[str, str], Callable] = {
    ("bce_with_logits_pos_weight", "value"): weighted_bce_value,
    ("bce_with_logits_pos_weight", "grad"): weighted_bce_grad,
    ("bce_with_logits_pos_weight", "grad2"): weighted_bce_grad2,
}
REFERENCES: dict[tuple[str, str], tuple[tuple[Callable, ...], int]] = {
    **{key: ((evaluate,), 1) for key, evaluate in OF_X.items()},
    **{key: ((evaluate,), 2) for key, evaluate in OF_TWO.items()},
    **{key: ((evaluate,), 3) for key, evaluate in OF_THREE.items()},
    **{key: (results, 2) for key, results in OF_PRODUCTS.items()},
    **{(name, "vjp"): ((vjp_of_x(grad),), 2) for (name, what), grad in OF_X.items() if what == "grad"},
    **{
        (name, "vjp"): ((vjp_of_two(grad, LEAST_NORMAL if name == "bce_with_logits" else 0.0),), 3)
        for (name, what), grad in OF_TWO.items()
        if what == "grad"
    },
    **{
        (name, "vjp"): (tuple(map(vjp_of_product, grads)), 3)
        for (name, what), grads in OF_PRODUCTS.items()
        if what == "grad"
    },
    **{
        (name, "vjp"): ((vjp_of_three(grad),), 4) for (name, what), grad in OF_THREE.items() if what == "grad"
    },
}
"""The references of each mode's results, and of how many operands they are."""
