"""Arrays of torch and Numba on the GPU, compared with the CPU like CuPy's."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from gpu_sigmoid.device_check import layouts, streams
from gpu_sigmoid.device_check.subject import Check, Device, Streams
from gpu_sigmoid.dtypes import numpy_dtype
from gpu_sigmoid.methods import Function

# torch has no negative strides, and Numba transposes with a copy
VIEWS = {
    "torch": ("one", "odd", "misaligned", "strided", "matrix", "transposed", "rows"),
    "numba": ("one", "odd", "misaligned", "strided", "matrix", "rows"),
}
MODES = ("value", "value_and_grad", "vjp")


def load(section: str) -> Device:
    """Return the device of a section's library.

    Raises
    ------
    ImportError
        If the library is missing or finds no GPU. The message says why.
    """
    if section == "torch":
        import torch

        if not torch.cuda.is_available():
            raise ImportError(f"torch {torch.__version__} finds no CUDA device")
        return torch_device(torch, "cuda")
    from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda

    cuda = numba_cuda()
    if not cuda.is_available():
        raise ImportError("numba-cuda finds no CUDA device")
    return numba_device(cuda)


def torch_device(torch: Any, where: str) -> Device:
    """Return torch's arrays on `where`, transferred as integers of the same bits."""

    def asarray(array: np.ndarray) -> Any:
        bits = np.array(array).view(f"i{array.itemsize}")
        return torch.from_numpy(bits).to(where).view(getattr(torch, array.dtype.name))

    def to_host(tensor: Any) -> np.ndarray:
        bits = tensor.view(getattr(torch, f"int{8 * tensor.element_size()}")).cpu().numpy()
        return bits.view(numpy_dtype(str(tensor.dtype).removeprefix("torch.")))

    own = Streams(
        new=torch.cuda.Stream,
        current=torch.cuda.stream,
        wait=lambda stream: stream.synchronize(),
        wait_for_all=torch.cuda.synchronize,
        copy=lambda target, source: target.copy_(source, non_blocking=True),
    )
    return Device(SimpleNamespace(asarray=asarray), to_host, streams=own)


def numba_device(cuda: Any) -> Device:
    """Return Numba's device arrays; bfloat16, which numba-cuda cannot copy, is transferred as bits."""

    def asarray(array: np.ndarray) -> Any:
        if array.dtype.name != "bfloat16":
            return cuda.to_device(array)
        return cuda.to_device(array.reshape(-1).view(np.uint16)).view(array.dtype).reshape(array.shape)

    def to_host(array: Any) -> np.ndarray:
        if array.dtype.name != "bfloat16":
            return array.copy_to_host()
        return array.reshape(-1).view(np.uint16).copy_to_host().view(array.dtype).reshape(array.shape)

    return Device(SimpleNamespace(asarray=asarray), to_host)


def checks(section: str, device: Device, function: Function, dtype: np.dtype) -> Iterator[Check]:
    """Yield the section's checks, on the library's device."""
    found = [*layouts.checks(device, function, dtype, MODES, VIEWS[section])]
    if device.streams is not None:
        found += streams.checks("streams", device, function, dtype, ["contiguous"])
    for check in found:
        yield replace(check, section=section, subject=f"{check.subject} ({check.section})")
