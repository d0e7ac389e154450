"""NumPy: the textbook formulas that do not overflow, written into existing arrays.

Every step is a ufunc with `out=`; `a` and `b` are scratch arrays, allocated before the clock runs.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.cases import Case
from bench.peers import OF_VALUE


def sigmoid(x: Any, out: Any, *_: Any) -> Any:
    np.negative(x, out=out)
    np.exp(out, out=out)
    np.add(out, 1, out=out)
    return np.divide(1, out, out=out)


def log1p_of_exp(x: Any, out: Any) -> Any:
    """Write log1p(exp(-abs(x))), what softplus adds to max(x, 0)."""
    np.abs(x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    return np.log1p(out, out=out)


def softplus(x: Any, out: Any, a: Any, *_: Any) -> Any:
    log1p_of_exp(x, a)
    np.maximum(x, 0, out=out)
    return np.add(out, a, out=out)


def log_sigmoid(x: Any, out: Any, a: Any, *_: Any) -> Any:
    log1p_of_exp(x, a)
    np.minimum(x, 0, out=out)
    return np.subtract(out, a, out=out)


def silu(x: Any, out: Any, a: Any, *_: Any) -> Any:
    return np.multiply(x, sigmoid(x, a), out=out)


def logit(x: Any, out: Any, a: Any, *_: Any) -> Any:
    np.subtract(1, x, out=a)
    np.divide(x, a, out=out)
    return np.log(out, out=out)


def log1mexp(x: Any, out: Any, *_: Any) -> Any:
    np.exp(x, out=out)
    np.negative(out, out=out)
    return np.log1p(out, out=out)


def softplus_inverse(x: Any, out: Any, *_: Any) -> Any:
    np.expm1(x, out=out)
    return np.log(out, out=out)


def bce_with_logits(x: Any, t: Any, out: Any, a: Any, b: Any) -> Any:
    softplus(x, b, a)
    np.multiply(x, t, out=out)
    return np.subtract(b, out, out=out)


def glu(a: Any, b: Any, out: Any, c: Any, d: Any) -> Any:
    return np.multiply(a, sigmoid(b, c), out=out)


def swiglu(a: Any, b: Any, out: Any, c: Any, d: Any) -> Any:
    return np.multiply(silu(a, c, d), b, out=out)


def tanh(x: Any, out: Any, *_: Any) -> Any:
    return np.tanh(x, out=out)


VALUES: dict[str, Callable[..., Any]] = {
    "sigmoid": sigmoid,
    "log_sigmoid": log_sigmoid,
    "softplus": softplus,
    "silu": silu,
    "tanh": tanh,
    "logit": logit,
    "log1mexp": log1mexp,
    "softplus_inverse": softplus_inverse,
    "bce_with_logits": bce_with_logits,
    "glu": glu,
    "swiglu": swiglu,
}


def sigmoid_prime(x: Any, s: Any, out: Any, a: Any) -> Any:
    np.subtract(1, s, out=a)
    return np.multiply(s, a, out=out)


def tanh_prime(x: Any, y: Any, out: Any, a: Any) -> Any:
    np.multiply(y, y, out=a)
    return np.subtract(1, a, out=out)


def log_sigmoid_prime(x: Any, y: Any, out: Any, a: Any) -> Any:
    np.exp(x, out=out)
    np.add(out, 1, out=out)
    return np.divide(1, out, out=out)


def softplus_prime(x: Any, y: Any, out: Any, a: Any) -> Any:
    return sigmoid(x, out)


GRADS: dict[str, Callable[..., Any]] = {
    "sigmoid": sigmoid_prime,
    "log_sigmoid": log_sigmoid_prime,
    "softplus": softplus_prime,
    "tanh": tanh_prime,
}


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    value, grad = VALUES.get(case.function), GRADS.get(case.function)
    # its bfloat16 is an extension that computes by converting each element
    if value is None or case.dtype == "bfloat16":
        return None
    x = inputs[0]
    a, b = np.empty_like(x), np.empty_like(x)
    if case.mode == "value" and case.layout == "new":
        return lambda: value(*inputs, np.empty_like(x), a, b)
    if case.mode == "value":
        return partial(value, *inputs, outs[0], a, b)
    if grad is None or case.mode not in ("grad", "value_and_grad"):
        return None
    if case.mode == "grad":
        of_value = case.function in OF_VALUE
        return lambda: grad(x, value(x, b, a) if of_value else None, outs[0], a)

    def both() -> tuple[Any, Any]:
        if case.function in OF_VALUE:
            y = value(x, outs[0], a)
            return y, grad(x, y, outs[1], a)
        # first, lest the value be written in the operand's place
        slope = grad(x, None, outs[1], a)
        return value(x, outs[0], a), slope

    return both
