"""The baseline that rates are compared with: a copy of the operand, on as many threads."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.cases import Case
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM
from gpu_sigmoid.backends.cpu.workers import share


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    source, target = inputs[0], outs[0]
    if not isinstance(source, np.ndarray):
        import cupy

        return partial(cupy.copyto, target, source)
    if case.threads < 2 or target.nbytes < SPLIT_FROM:
        return partial(np.copyto, target, source)
    parts = list(zip(np.array_split(target, case.threads), np.array_split(source, case.threads), strict=True))

    def copy_part(i: int) -> None:
        np.copyto(*parts[i])

    return partial(share, copy_part, len(parts), case.threads - 1)
