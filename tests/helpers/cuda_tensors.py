"""CUDA tensors where torch has no CUDA."""

from collections.abc import Callable
from typing import Any

import torch


class CudaTensor:
    """A CuPy array with what a launch asks a tensor for, which it answers as quickly as torch."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = getattr(torch, array.dtype.name)
        answers = {
            "numel": array.size,
            "stride": tuple(step // array.itemsize for step in array.strides),
            "is_contiguous": bool(array.flags.c_contiguous),
            "data_ptr": array.data.ptr,
            "get_device": array.device.id,
        }
        for method, answer in answers.items():
            setattr(self, method, lambda answer=answer: answer)


def make_current(stream: Any, replace: Callable[..., None] = setattr) -> None:
    """Make a stream of CuPy's torch's current one, on CuPy's current device."""
    import cupy

    replace(torch._C, "_cuda_getDevice", cupy.cuda.runtime.getDevice)
    replace(torch._C, "_cuda_getCurrentRawStream", lambda device: stream.ptr)
