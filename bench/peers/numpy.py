"""NumPy: its tanh, and the textbook formulas as one would write them, temporaries and all."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.cases import Case


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


UFUNCS = {"tanh": np.tanh}
VALUES: dict[str, Callable[..., Any]] = {
    **UFUNCS,
    "sigmoid": sigmoid,
    "log_sigmoid": lambda x: -np.logaddexp(0, -x),
    "softplus": lambda x: np.logaddexp(0, x),
    "silu": lambda x: x * sigmoid(x),
    "logit": lambda x: np.log(x / (1 - x)),
    "log1mexp": lambda x: np.log1p(-np.exp(x)),
    "softplus_inverse": lambda x: np.log(np.expm1(x)),
    "bce_with_logits": lambda x, t: np.logaddexp(0, x) - x * t,
    "glu": lambda a, b: a * sigmoid(b),
    "swiglu": lambda a, b: a * sigmoid(a) * b,
}


GRADS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x, s: s * (1 - s),
    "log_sigmoid": lambda x, y: sigmoid(-x),
    "softplus": lambda x, y: sigmoid(x),
    "tanh": lambda x, y: 1 - y * y,
}
OF_VALUE = ("sigmoid", "tanh")


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    # its bfloat16 is an extension that computes by converting each element
    if case.dtype == "bfloat16" or case.mode not in ("value", "grad", "value_and_grad"):
        return None
    value, grad = VALUES.get(case.function), GRADS.get(case.function)
    if value is None:
        return None
    if case.mode == "value":
        if case.function in UFUNCS and case.layout != "new":
            return lambda: value(*inputs, out=outs[0])
        return lambda: value(*inputs)
    if grad is None:
        return None
    x = inputs[0]
    if case.mode == "grad":
        return lambda: grad(x, value(x) if case.function in OF_VALUE else None)

    def both() -> tuple[Any, Any]:
        y = value(x)
        return y, grad(x, y)

    return both
