"""Numba's device arrays: their memory, their device, and new ones."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from gpu_sigmoid.backends.numba_cuda import streams
from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda
from gpu_sigmoid.backends.placed import Placed, common_device, refuse_byte_order, refuse_misaligned
from gpu_sigmoid.dtypes import rounded


def on_device(operand: Any) -> bool:
    return hasattr(operand, "__cuda_ndarray__")


@cache
def array_type() -> type:
    """Return the base class of numba-cuda's device arrays."""
    from numba.cuda.cudadrv.devicearray import DeviceNDArrayBase

    return DeviceNDArrayBase


def address(array: Any) -> int:
    return array.device_ctypes_pointer.value or 0


def placed(array: Any) -> Placed:
    return Placed(address(array), array.shape, array.strides, array.dtype)


@cache
def one_device() -> bool:
    return len(numba_cuda().gpus) == 1


def device_of(method: Any, arrays: list) -> AbstractContextManager:
    """Return the context of the one device that all arrays are on.

    Raises
    ------
    TypeError
        If they are on several: nothing is transferred implicitly.
    """
    device = common_device(method.label, (a.gpu_data.context.device.id for a in arrays))
    cuda = numba_cuda()
    return nullcontext() if device == cuda.get_current_device().id else cuda.gpus[device]


def empty(shape: tuple[int, ...], dtype: np.dtype, strides: tuple[int, ...], stream: Any) -> Any:
    return numba_cuda().device_array(shape, dtype, strides=strides, stream=stream)


def copied(method: Any, array: Any, stream: Any) -> tuple[Any, int]:
    """Return a copy of the memory that an array spans, made on a stream, and the array's offset in it.

    Raises
    ------
    RuntimeError
        If the stream captures a graph, which would not own the copy when it is replayed.
    """
    if streams.captures(stream):
        raise RuntimeError(
            f"{method.label}: an operand that partly overlaps out has to be copied, into memory that a "
            "captured graph would not own when it is replayed: copy it before the capture"
        )
    from numba.cuda.cudadrv.driver import driver

    low, high = placed(array).span
    copy = empty((high - low,), np.dtype(np.uint8), (1,), stream)
    driver.cuMemcpyDtoDAsync(address(copy), low, high - low, streams.handle(stream))
    return copy, address(copy) + address(array) - low


def number(value: Any, dtype: np.dtype) -> Any:
    """Return a number rounded to a dtype, as the kernels compute with it."""
    return rounded(value, dtype).astype(np.float64 if dtype == np.float64 else np.float32)


def refuse_foreign(method: Any, place: Placed) -> None:
    """Raise an error if a GPU cannot read the elements, whatever the array's address."""
    refuse_byte_order(method.label, place.dtype)
    refuse_misaligned(method.label, place)
