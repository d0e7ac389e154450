"""gpu_sigmoid by its public functions, and the copy that rates are compared with."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bench.cases import Case
from gpu_sigmoid.backends.cpu.prepared import LARGE
from gpu_sigmoid.backends.cpu.workers import share

PACKED = ("value", "value_and_grad", "vjp")
"""The modes of `packed`."""


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    if case.layout == "new":
        return partial(case.method, *inputs)
    if case.layout == "packed" and case.mode in PACKED:
        value, gradient = outs[0], outs[-1].base
        out = {"value": value, "value_and_grad": (value, gradient), "vjp": gradient}[case.mode]
        method = case.method.function.packed
        call = method if case.mode == "value" else getattr(method, case.mode)
        return partial(call, inputs[0].base, *inputs[2:], out=out)
    return partial(case.method, *inputs, out=outs if len(outs) > 1 else outs[0])


def copy(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any]:
    """Return the copy of one operand, on the case's threads; halves of an array are made contiguous first."""
    source, target = inputs[0], outs[0]
    if case.layout == "packed":
        source, target = source.copy(), target.copy()
    if target is source:  # in place: nothing would be copied
        target = source.copy()
    if not isinstance(source, np.ndarray):
        import cupy

        return partial(cupy.copyto, target, source)
    if case.threads < 2 or target.nbytes < LARGE:
        return partial(np.copyto, target, source)
    parts = list(zip(np.array_split(target, case.threads), np.array_split(source, case.threads), strict=True))
    return partial(share, lambda i: np.copyto(*parts[i]), len(parts), case.threads - 1)
