"""gpu_sigmoid, by its public functions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.cases import Case
from gpu_sigmoid.functions import FUNCTIONS


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    compute = FUNCTIONS[case.function].methods[case.component]
    if case.layout == "new":
        return partial(compute, *inputs)
    return partial(compute, *inputs, out=outs if case.outputs > 1 else outs[0])
