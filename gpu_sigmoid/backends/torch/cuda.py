"""Computing on tensors in a GPU's memory, by the kernels of CuPy arrays, on torch's current stream.

Contiguous tensors, and ones of one number for all elements, are one launch, given their addresses: to
make CuPy arrays of them and an object of the stream takes ten times as long. Those are for any other
layout.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gpu_sigmoid.backends.torch.host import NAMES
from gpu_sigmoid.environment import require_gpu
from gpu_sigmoid.modes import is_tabulable

Tensors = tuple[Tensor, ...]


VECTORS, ELEMENT = "vectors", "element"
"""How a kernel reads an operand, in the words of `backends.cupy.packed`."""


class Prepared(NamedTuple):
    """A method's kernel for contiguous arrays of a dtype, loaded on a device."""

    packed: Any
    """The module whose kernel it is."""
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
    kernels: dict[tuple, Prepared] = {}

    def compute(tensors: Tensors, results: Tensors) -> None:
        first = results[0]
        device = first.get_device()
        if device != torch._C._cuda_getDevice():
            with torch.cuda.device(device):
                compute(tensors, results)
            return
        stream = torch._C._cuda_getCurrentRawStream(device)
        kinds = kinds_of(tensors, results)
        if kinds:
            key = first.dtype, device, kinds
            prepared = kernels.get(key)
            if prepared is None:
                prepared = kernels[key] = prepare(method, *key)
            if launched(prepared, kinds, tensors, results, stream):
                return
        by_arrays(method, tensors, results, stream)

    return compute


def kinds_of(tensors: Tensors, results: Tensors) -> tuple[str, ...] | None:
    """Return how each operand is read, None where one is laid out in another way."""
    shape = results[0].shape
    for result in results:
        if not result.is_contiguous():
            return None
    kinds = []
    for tensor in tensors:
        if tensor.shape == shape and tensor.is_contiguous():
            kinds.append(VECTORS)
        elif any(tensor.stride()) and tensor.numel() != 1:
            return None
        else:
            kinds.append(ELEMENT)
    return tuple(kinds)


def prepare(method: Any, dtype: torch.dtype, device: int, kinds: tuple[str, ...]) -> Prepared:
    require_gpu(method)
    import cupy

    from gpu_sigmoid.backends.cupy import lut, packed

    name = NAMES[dtype]
    with cupy.cuda.Device(device):
        kernel, elements_a_thread = packed.kernel(method.formula, method.mode, name, kinds)
        below = lut.SERVED_FROM if is_tabulable(method.formula, method.mode, name) else float("inf")
        return Prepared(packed, kernel.kernel.linear_launch, elements_a_thread, dtype.itemsize, below)


def launched(
    prepared: Prepared, kinds: tuple[str, ...], tensors: Tensors, results: Tensors, stream: int
) -> bool:
    """Launch the kernel and return True, or return False for tensors that it does not serve."""
    first = results[0]
    size = first.numel()
    if not size or size >= prepared.below:
        return not size
    itemsize, packed = prepared.itemsize, prepared.packed
    nbytes, distance = size * itemsize, first.data_ptr() % packed.VECTOR
    outs = [result.data_ptr() for result in results]
    arrays: list[int] = []
    elements: list[int] = []
    for tensor, kind in zip(tensors, kinds, strict=True):
        address = tensor.data_ptr()
        if kind == VECTORS:
            arrays.append(address)
            for out in outs:
                if out != address and -nbytes < out - address < nbytes:
                    return False
        else:
            elements.append(address)
            if address % itemsize:
                return False
            for out in outs:
                # what all threads read, none may have written
                if -itemsize < address - out < nbytes:
                    return False
    arrays += outs
    if distance % itemsize:
        return False
    for address in arrays:
        if address % packed.VECTOR != distance:
            return False
    before = packed.before_a_vector(size, distance, itemsize)
    found = _streams.get(stream) or _streams.setdefault(stream, Stream(stream))
    packed.start(
        prepared.linear_launch, prepared.elements_a_thread, (*arrays, *elements), size, before, found
    )
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
