"""Arrays of any other library, by DLPack, where they lie.

Arrays of the array API standard's are returned as their namespace's. What the standard
offers has neither a fused multiply-add nor bit patterns, so that its operations could
not give the same bits: the CPU's kernels compute on the memory. An array in a GPU's
memory goes to CuPy, and comes back as CuPy's.
"""

from typing import Any

import numpy as np

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.environment import require_gpu
from gpu_sigmoid.outputs import refuse_out

# DLPack's kDLCPU and kDLCUDA
HOST, CUDA = 1, 2


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Return arrays of the operands' namespace, NumPy's where there is none, CuPy's from a GPU."""
    places = {o.__dlpack_device__()[0]: o for o in operands if hasattr(o, "__dlpack_device__")}
    if places.keys() == {CUDA}:
        return on_cuda(method, operands, out)
    for place, operand in places.items():
        if place != HOST:
            raise TypeError(
                f"{method.label}: {type(operand).__name__} lies on device "
                f"{tuple(map(int, operand.__dlpack_device__()))}, neither in host memory nor, as all other "
                "operands, on an NVIDIA GPU, and is not moved unasked: move it first"
            )
    refuse_out(method, out, "the array API standard has no out")
    namespaces = {o.__array_namespace__() for o in operands if hasattr(o, "__array_namespace__")}
    if len(namespaces) > 1:
        names = " and ".join(sorted(n.__name__ for n in namespaces))
        raise TypeError(f"{method.label}: arrays of {names} cannot be mixed")
    viewed = tuple(np.from_dlpack(o) if hasattr(o, "__dlpack__") else o for o in operands)
    results = cpu.run(method, viewed, None)
    wrap = next((n.from_dlpack for n in namespaces), np.asarray)
    if isinstance(results, tuple):
        return tuple(wrap(r) for r in results)
    # a ufunc gives a scalar where all operands are of no dimension
    return wrap(np.asarray(results))


def on_cuda(method: Any, operands: tuple, out: Any) -> Any:
    require_gpu(method)
    from gpu_sigmoid.backends.cupy import run

    return run(method, operands, out)
