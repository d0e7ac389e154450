"""Arrays of any library that follows the array API standard, by DLPack.

An array in host memory is computed where it lies, by the CPU's kernels: the standard
has neither a fused multiply-add nor bit patterns, so that its operations could not give
the same bits. What lies elsewhere is not moved here.
"""

from typing import Any

import numpy as np

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.method import refuse_out

IN_HOST_MEMORY = 1  # DLPack's kDLCPU


def run(function: Any, component: str, operands: tuple, out: Any) -> Any:
    """Return arrays of the operands' namespace, on memory computed by NumPy."""
    refuse_out(function, out, "the array API standard has no out")
    namespaces = {o.__array_namespace__() for o in operands if hasattr(o, "__array_namespace__")}
    if len(namespaces) > 1:
        names = " and ".join(sorted(n.__name__ for n in namespaces))
        raise TypeError(f"{function.__name__}: arrays of {names} cannot be mixed")
    results = cpu.run(function, component, tuple(viewed(function, o) for o in operands), None)
    namespace = namespaces.pop()
    if component == "value_and_grad":
        return tuple(namespace.from_dlpack(r) for r in results)
    # a ufunc gives a scalar where all operands are of no dimension
    return namespace.from_dlpack(np.asarray(results))


def viewed(function: Any, operand: Any) -> Any:
    """Return a NumPy array on an operand's memory."""
    if not hasattr(operand, "__array_namespace__"):
        return operand
    device = operand.__dlpack_device__()
    if device[0] != IN_HOST_MEMORY:
        raise TypeError(
            f"{function.__name__}: {type(operand).__name__} lies on device {tuple(map(int, device))}, not in "
            "host memory, and is not moved unasked: move it, or pass it to cupy.from_dlpack"
        )
    return np.from_dlpack(operand)
