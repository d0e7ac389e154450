"""Stand-ins for CUDA tensors, for a torch without CUDA."""

from collections.abc import Callable
from typing import Any

import torch


class CudaTensor:
    """A CuPy array with the methods of a tensor that a launch calls, which take no longer than torch's."""

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
    """Let torch report a stream of CuPy as its current one, and CuPy's current device as its own."""
    import cupy

    replace(torch._C, "_cuda_getDevice", cupy.cuda.runtime.getDevice)
    replace(torch._C, "_cuda_getCurrentRawStream", lambda device: stream.ptr)
