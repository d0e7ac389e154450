"""Numba device arrays: grid-stride kernels that numba-cuda compiles on the first call.

- `prepared`: calls on arrays of certain shapes, strides and dtypes
- `kernels`: writes and compiles the loop; `intrinsics` are its loads, stores and arithmetic
- `memory`: the memory and device of arrays
- `streams`: the stream of a call, and the streams that wait for each other
- `managed`: arrays in memory that the host uses too

A call runs on the arrays' device, on the first stream that one of them is bound to, or on the default
stream. The other streams wait for it, and it waits for them. The host waits for nothing. Only the result
is allocated, and a copy of an input that partly overlaps it; such a copy is refused while a graph is
captured, since it would be gone when the graph is replayed.
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
        # methods look there first
        method.ready.setdefault(type(operands[0]), calls)
    result = calls(operands, out)
    if result is NotImplemented:
        call = Call(method, operands, out)
        calls.remember(operands, out, call)
        result = call(operands, out)
    return result
