"""Computing on tensors in a GPU's memory, by the kernels of CuPy arrays, on torch's current stream.

Contiguous tensors are one launch, given their addresses: to make CuPy arrays of them and an object of
the stream takes ten times as long. Those are for any other layout.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gpu_sigmoid.backends.torch.host import NAMES
from gpu_sigmoid.environment import require_gpu
from gpu_sigmoid.modes import is_tabulable

Tensors = tuple[Tensor, ...]


class Prepared(NamedTuple):
    """A method's kernel for contiguous arrays of a dtype, loaded on a device."""

    linear_launch: Any
    elements_a_thread: int
    itemsize: int
    below: float
    """The number of elements from which another kernel serves."""


class Stream:
    """A stream as CuPy's launches and other libraries take it."""

    def __init__(self, pointer: int) -> None:
        self.ptr = pointer

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.ptr


_streams: dict[int, Stream] = {}


def computation(method: Any) -> Callable[[Tensors, Tensors], None]:
    """Return what computes a method's results from its operands, nothing recorded for gradients."""
    prepared: dict[tuple[torch.dtype, int], Prepared] = {}

    def compute(tensors: Tensors, results: Tensors) -> None:
        device = results[0].get_device()
        if device != torch._C._cuda_getDevice():
            with torch.cuda.device(device):
                compute(tensors, results)
            return
        key = results[0].dtype, device
        found = prepared.get(key)
        if found is None:
            require_gpu(method)
            found = prepared[key] = prepare(method, results[0].dtype, device)
        if not launched(found, tensors, results, torch._C._cuda_getCurrentRawStream(device)):
            by_arrays(method, tensors, results, torch._C._cuda_getCurrentRawStream(device))

    return compute


def prepare(method: Any, dtype: torch.dtype, device: int) -> Prepared:
    import cupy

    from gpu_sigmoid.backends.cupy import lut, packed

    name = NAMES[dtype]
    with cupy.cuda.Device(device):
        kinds = (packed.VECTORS,) * len(method.operands)
        kernel, elements_a_thread = packed.kernel(method.formula, method.mode, name, kinds)
        below = lut.SERVED_FROM if is_tabulable(method.formula, method.mode, name) else float("inf")
        return Prepared(kernel.kernel.linear_launch, elements_a_thread, dtype.itemsize, below)


def launched(prepared: Prepared, tensors: Tensors, results: Tensors, stream: int) -> bool:
    """Launch the kernel and return True, or return False for tensors that it does not serve."""
    from gpu_sigmoid.backends.cupy.packed import THREADS, VECTOR

    first = results[0]
    shape, size = first.shape, first.numel()
    if not size or size >= prepared.below:
        return not size
    nbytes = size * prepared.itemsize
    addresses: list[int] = []
    for tensor in tensors + results:
        if tensor.shape != shape or not tensor.is_contiguous():
            return False
        address = tensor.data_ptr()
        for other in addresses:
            if other != address and -nbytes < other - address < nbytes:
                return False
        addresses.append(address)
    distance = addresses[0] % VECTOR
    if any([address % VECTOR != distance for address in addresses]):
        return False
    peeled = min(size, -distance % VECTOR // prepared.itemsize)
    threads = max(-(-size // prepared.elements_a_thread), THREADS)
    found = _streams.get(stream) or _streams.setdefault(stream, Stream(stream))
    prepared.linear_launch(threads, (*addresses, size, peeled), 0, THREADS, found)
    return True


def by_arrays(method: Any, tensors: Tensors, results: Tensors, stream: int) -> None:
    """Compute by CuPy arrays on the tensors' memory."""
    import cupy

    from gpu_sigmoid.backends.cupy import run

    with cupy.cuda.Device(results[0].get_device()), cupy.cuda.Stream.from_external(Stream(stream)):
        outs = tuple(as_cupy(r) for r in results)
        run(method, tuple(as_cupy(t) for t in tensors), outs if len(outs) > 1 else outs[0])


def as_cupy(tensor: Tensor) -> Any:
    """Return a CuPy array on a tensor's memory."""
    import cupy

    plain = tensor.detach()
    if plain.dtype != torch.bfloat16:
        return cupy.from_dlpack(plain)
    import ml_dtypes

    return cupy.from_dlpack(plain.view(torch.int16)).view(ml_dtypes.bfloat16)
