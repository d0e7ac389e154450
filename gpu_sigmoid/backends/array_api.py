"""Arrays of any other library, by DLPack, where they lie.

Arrays of the array API standard's are returned as their namespace's. What the standard
offers has neither a fused multiply-add nor bit patterns, so that its operations could
not give the same bits: the CPU's kernels compute on the memory. An array in a GPU's
memory goes to CuPy, beside CuPy's own and others that CuPy takes, and comes back as CuPy's.
"""

from typing import Any

import numpy as np

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.environment import require_gpu
from gpu_sigmoid.outputs import refuse_out

# DLPack's kDLCPU, kDLCUDA and kDLCUDAManaged
HOST, CUDA, MANAGED = 1, 2, 13


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Return arrays of the operands' namespace, NumPy's where there is none, CuPy's from a GPU."""
    places = {place: o for o in operands if (place := place_of(o))}
    if places and all(kind in (CUDA, MANAGED) for kind, *_ in places):
        return on_cuda(method, operands, out)
    for place, operand in places.items():
        if place[0] != HOST:
            raise TypeError(
                f"{method.label}: {type(operand).__name__} lies on device {place}, neither in host memory "
                "nor, as all other operands, on an NVIDIA GPU, and is not moved unasked: move it first"
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


def place_of(operand: Any) -> tuple[int, ...] | None:
    """Return the kind and the number of an array's device as DLPack has them, None of a number."""
    if hasattr(operand, "__dlpack_device__"):
        return tuple(map(int, operand.__dlpack_device__()))
    return (CUDA,) if hasattr(operand, "__cuda_array_interface__") else None


def on_cuda(method: Any, operands: tuple, out: Any) -> Any:
    require_gpu(method)
    from gpu_sigmoid.backends.cupy import run

    return run(method, operands, out)
