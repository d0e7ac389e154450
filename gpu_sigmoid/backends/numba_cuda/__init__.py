"""Numba device arrays: grid-stride kernels that numba-cuda compiles, when first called.

- `prepared`: calls on arrays of certain shapes, strides and dtypes
- `kernels`: writes and compiles the loop, of `intrinsics`: its loads, stores and arithmetic
- `memory`: where arrays lie
- `streams`: which stream a call runs on, and what waits for what
- `managed`: arrays in memory that the host uses too

A call runs on the arrays' device, on the first stream that one of them is bound to or else
the default one; the others wait for it, as it does for them. It waits for nothing on the host,
and allocates nothing but the result, and a copy of an input that overlaps it in part, which is
refused where a graph is captured: a replay would not find it.
"""

from functools import cache
from typing import Any

from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda
from gpu_sigmoid.backends.numba_cuda.memory import on_device
from gpu_sigmoid.backends.numba_cuda.prepared import Call, described
from gpu_sigmoid.backends.prepared import Calls

__all__ = ["run"]


@cache
def calls_of(method: Any) -> Calls:
    return Calls(described)


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on device arrays and numbers."""
    numba_cuda()
    calls = calls_of(method)
    if on_device(operands[0]):
        # from now on `dispatch` finds it there
        method.ready.setdefault(type(operands[0]), calls)
    result = calls(operands, out)
    if result is NotImplemented:
        call = Call(method, operands, out)
        calls.remember(operands, out, call)
        result = call(operands, out)
    return result
