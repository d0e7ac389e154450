"""numexpr: the textbook formulas, compiled for its virtual machine."""

from collections.abc import Callable
from typing import Any

import numexpr

from bench.cases import Case

VALUES = {
    "sigmoid": "1 / (1 + exp(-x))",
    "log_sigmoid": "-log1p(exp(-x))",
    "softplus": "log1p(exp(x))",
    "silu": "x / (1 + exp(-x))",
    "tanh": "tanh(x)",
    "logit": "log(x / (1 - x))",
    "log1mexp": "log1p(-exp(x))",
    "softplus_inverse": "log(expm1(x))",
    "bce_with_logits": "log1p(exp(x)) - x * t",
    "glu": "x / (1 + exp(-t))",
    "swiglu": "x / (1 + exp(-x)) * t",
}
DTYPES = ("float32", "float64")


def set_threads(n: int) -> None:
    numexpr.set_num_threads(n)


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    if case.function not in VALUES or case.mode != "value" or case.dtype not in DTYPES:
        return None
    expression, names = VALUES[case.function], dict(zip("xt", inputs, strict=False))
    out = None if case.layout == "new" else outs[0]
    return lambda: numexpr.evaluate(expression, local_dict=names, out=out)
