"""JAX arrays on NVIDIA GPUs: the kernels of CuPy's backend, compiled by CuPy, launched on XLA's stream."""

import ctypes
from typing import Any

import jax
import llvmlite.binding
import numpy as np
from numba import types

from gpu_sigmoid.backends.jax import cuda_handler, native, table
from gpu_sigmoid.backends.once import once
from gpu_sigmoid.environment import why_no_gpu
from gpu_sigmoid.modes import is_tabulable

DRIVER = np.zeros(8, np.int64)
"""The handler's settings: how to launch, and the sizes of blocks and vectors."""

# memory that the handler or the GPU reads
_kept: list[Any] = []


@once
def why_not() -> str | None:
    """Register the handler for GPUs; return None, or why that is not possible."""
    if reason := native.why_not() or why_no_gpu():
        return reason
    try:
        launch = ctypes.cast(ctypes.CDLL("libcuda.so.1").cuLaunchKernel, ctypes.c_void_p)
        native.register("CUDA", compiled(launch.value or 0), ready)
    # arrays on a GPU are refused with this reason
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def compiled(launch: int) -> int:
    """Return the address of the native handler, which launches through the function at an address."""
    from gpu_sigmoid.backends.cupy import lut, packed

    DRIVER[:6] = launch, packed.THREADS, packed.VECTOR, lut.THREADS, lut.SERVED_FROM, lut.TABLE_BYTES
    llvmlite.binding.add_symbol("gpu_sigmoid_cuda_kernels", table.CUDA.ctypes.data)
    llvmlite.binding.add_symbol("gpu_sigmoid_driver", DRIVER.ctypes.data)
    return native.native(cuda_handler.execute, types.intp)


@once
def ready(key: int) -> int:
    """Load the kernel of a key on all of JAX's devices, unless that is done; return the key."""
    for device in jax.local_devices(backend="cuda"):
        load(key, device.local_hardware_id)
    return key


def load(key: int, device: int) -> None:
    """Load the kernels of a key on a device, and enter them in the handler's table."""
    import cupy

    from gpu_sigmoid.backends.cupy import lut, packed

    method, dtype = table.method_of(key)
    formula, mode = method.formula, method.mode
    own = cuda_handler.key_on.py_func(device, key)
    with cupy.cuda.Device(device):
        kinds = (packed.VECTORS,) * len(method.operands)
        kernel, elements_a_thread = packed.kernel(formula, mode, dtype, kinds)
        if is_tabulable(formula, mode, dtype) and lut.room(device) >= lut.TABLE_BYTES:
            tables = [lut.table(formula, result, dtype) for result in mode.single_results]
            words = np.asarray([tables[0].data.ptr, tables[-1].data.ptr, lut.processors(device)], np.int64)
            _kept.extend((tables, words))
            handle = lut.kernel().kernel.ptr
            table.enter(table.CUDA, own ^ cuda_handler.LOOK_UP, handle, words.ctypes.data, dtype)
        table.enter(table.CUDA, own, kernel.kernel.ptr, elements_a_thread, dtype)
