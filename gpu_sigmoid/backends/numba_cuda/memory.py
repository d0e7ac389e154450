"""Device arrays as Numba holds them: their place, their device, new ones."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda
from gpu_sigmoid.backends.numba_cuda.layout import ordered_strides
from gpu_sigmoid.backends.placed import Placed


def on_device(operand: Any) -> bool:
    return hasattr(operand, "__cuda_ndarray__")


def placed(array: Any) -> Placed:
    return Placed(array.device_ctypes_pointer.value or 0, array.shape, array.strides, array.dtype)


def device_of(method: Any, arrays: list) -> AbstractContextManager:
    """Return the context of the one device that all arrays are on.

    Raises
    ------
    TypeError
        If they are on several: nothing is transferred without being asked for.
    """
    devices = sorted({a.gpu_data.context.device.id for a in arrays})
    if len(devices) > 1:
        raise TypeError(
            f"{method.label}: arrays on CUDA devices {' and '.join(map(str, devices))} cannot be "
            "mixed: copy them to one first"
        )
    cuda = numba_cuda()
    return nullcontext() if devices[0] == cuda.get_current_device().id else cuda.gpus[devices[0]]


def empty(shape: tuple[int, ...], dtype: np.dtype, like: Any, stream: Any) -> Any:
    """Return a new array, its memory in the order of another of the same shape, if there is one."""
    strides = None if like is None else ordered_strides(shape, dtype.itemsize, like.strides)
    return numba_cuda().device_array(shape, dtype, strides=strides, stream=stream)


def number(value: Any, dtype: np.dtype) -> Any:
    """Return a number rounded to a dtype, as the kernels compute with it."""
    rounded = np.asarray(value).astype(dtype)
    return rounded.astype(np.float64 if dtype == np.float64 else np.float32)[()]
