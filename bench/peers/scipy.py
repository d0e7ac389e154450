"""SciPy's ufuncs of the family."""

from collections.abc import Callable
from functools import partial
from typing import Any

from scipy import special

from bench.cases import Case

VALUES = {"sigmoid": "expit", "log_sigmoid": "log_expit", "logit": "logit", "softplus": "softplus"}


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    ufunc = getattr(special, VALUES.get(case.function, ""), None)
    if ufunc is None or case.mode != "value" or case.dtype == "bfloat16":
        return None
    return partial(ufunc, *inputs) if case.layout == "new" else partial(ufunc, *inputs, out=outs[0])
