"""gpu_sigmoid, by its public functions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gpu_sigmoid.bench.cases import Case
from gpu_sigmoid.functions import FUNCTIONS


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    function = FUNCTIONS[case.function]
    method: Any = function if case.component == "value" else getattr(function, case.component)
    if case.layout == "new":
        return partial(method, *inputs)
    return partial(method, *inputs, out=outs if case.outputs > 1 else outs[0])
