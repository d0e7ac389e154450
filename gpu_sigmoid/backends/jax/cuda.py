"""JAX arrays on NVIDIA GPUs: the kernels of CuPy's backend, compiled by CuPy, launched on XLA's stream."""

import ctypes
from functools import cache

import jax
import llvmlite.binding
import numpy as np
from numba import types

from gpu_sigmoid.backends.jax import cuda_handler, native, table
from gpu_sigmoid.environment import why_no_gpu

DRIVER = np.zeros(4, np.int64)
"""What the handler is told: how to launch, and of what size blocks and vectors are."""


@cache
def why_not() -> str | None:
    """Register the handler for GPUs; return why that is not possible, None where it was."""
    if reason := native.why_not() or why_no_gpu():
        return reason
    try:
        launch = ctypes.cast(ctypes.CDLL("libcuda.so.1").cuLaunchKernel, ctypes.c_void_p)
        native.register("CUDA", compiled(launch.value or 0), ready)
    # arrays on a GPU are refused with it
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def compiled(launch: int) -> int:
    """Return the address of the native handler, which launches by the function at an address."""
    from gpu_sigmoid.backends.cupy import packed

    DRIVER[:3] = launch, packed.THREADS, packed.VECTOR
    llvmlite.binding.add_symbol("gpu_sigmoid_cuda_kernels", table.CUDA.ctypes.data)
    llvmlite.binding.add_symbol("gpu_sigmoid_driver", DRIVER.ctypes.data)
    return native.native(cuda_handler.execute, types.intp)


@cache
def ready(key: int) -> int:
    """Load the kernel of a key on all devices that JAX has here, if it is not yet there; return the key."""
    for device in jax.local_devices(backend="cuda"):
        load(key, device.local_hardware_id)
    return key


def load(key: int, device: int) -> None:
    """Load the kernel of a key on a device, and put it where the handler finds it."""
    import cupy

    from gpu_sigmoid.backends.cupy import packed

    method, dtype = table.method_of(key)
    with cupy.cuda.Device(device):
        kernel, elements_a_thread = packed.kernel(
            method.formula, method.mode, dtype, (packed.VECTORS,) * len(method.operands)
        )
        handle = kernel.kernel.ptr
    table.enter(table.CUDA, cuda_handler.key_on.py_func(device, key), handle, elements_a_thread, dtype)
