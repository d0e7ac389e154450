"""Numba's mapped and managed arrays: NumPy's, in memory that a GPU uses too.

Calls on them run on the CPU, like NumPy's functions, but only after the GPU has finished its work. To
compute on the GPU, pass `numba.cuda.as_cuda_array(x)`, a device array of the same memory.
"""

from typing import Any

import numpy as np

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda
from gpu_sigmoid.backends.numba_cuda.memory import on_device


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on the CPU; new results are plain NumPy arrays in host memory."""
    cuda = numba_cuda()
    outs = out if isinstance(out, tuple) else (out,)
    for device in {device_of(array) for array in (*operands, *outs) if on_device(array)} - {None}:
        with cuda.gpus[device]:
            cuda.synchronize()
    # NumPy would return this type of array, but without memory that a GPU can access
    plain = tuple(np.asarray(o) if on_device(o) else o for o in operands)
    return cpu.run(method, plain, out)


def device_of(array: Any) -> int | None:
    """Return the number of the device that shares an array's memory, if any; views ask their base."""
    while array is not None and not hasattr(array, "gpu_data"):
        array = getattr(array, "base", None)
    return None if array is None else array.gpu_data.context.device.id
