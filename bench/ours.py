"""gpu_sigmoid by its public functions, and the copy that rates are compared with."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.cases import Case
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM
from gpu_sigmoid.backends.cpu.workers import share


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    if case.layout == "new":
        return partial(case.method, *inputs)
    return partial(case.method, *inputs, out=outs if len(outs) > 1 else outs[0])


def copy(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    """Return the copy of one operand, on as many threads."""
    source, target = inputs[0], outs[0]
    if not isinstance(source, np.ndarray):
        import cupy

        return partial(cupy.copyto, target, source)
    if case.threads < 2 or target.nbytes < SPLIT_FROM:
        return partial(np.copyto, target, source)
    parts = list(zip(np.array_split(target, case.threads), np.array_split(source, case.threads), strict=True))
    return partial(share, lambda i: np.copyto(*parts[i]), len(parts), case.threads - 1)
