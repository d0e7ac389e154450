"""Computing on tensors in a GPU's memory, by the kernels of CuPy arrays, on torch's current stream.

Contiguous tensors, rows at a pitch, and tensors of one number for all elements are launched directly with
their addresses: making CuPy arrays of them and an object of the stream takes ten times as long. That is done
for any other layout.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from gpu_sigmoid.backends.placed import Overlaps, Placed
from gpu_sigmoid.backends.torch.computation import Computation, Tensors, flat
from gpu_sigmoid.backends.torch.operands import NAMES
from gpu_sigmoid.environment import refuse_without_gpu
from gpu_sigmoid.modes import is_tabulable

ALIGNMENT = 16
"""The bytes of a vector in `backends.cupy.packed`, which is imported with the first call."""


class Prepared(NamedTuple):
    """A method's kernel for contiguous arrays of a dtype, loaded on a device."""

    packed: Any
    """The module whose kernel it is."""
    linear_launch: Any
    elements_a_thread: int
    itemsize: int
    below: float
    """The number of elements from which another kernel is used."""


class Stream:
    """A stream in the form that CuPy's launches and other libraries accept."""

    def __init__(self, pointer: int) -> None:
        self.ptr = pointer

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.ptr


_streams: dict[int, Stream] = {}


class OnCuda(Computation):
    """By launches of CuPy's kernels."""

    def __init__(self, method: Any) -> None:
        super().__init__(method)
        self.kernels: dict[tuple, Prepared] = {}

    def into(self, tensors: Tensors, results: Tensors) -> None:
        """Write to results with the tensors' dtype and their broadcast shape."""
        first = results[0]
        device = first.get_device()
        if device != torch._C._cuda_getDevice():
            with torch.cuda.device(device):
                self.into(tensors, results)
            return
        stream = torch._C._cuda_getCurrentRawStream(device)
        found = flat(tensors, results)
        if found is not None:
            stepping, addresses = found
            key = first.dtype, device, stepping
            prepared = self.kernels.get(key)
            if prepared is None:
                prepared = self.kernels[key] = prepare(self.method, *key)
            if launched(prepared, first.numel(), stepping, addresses, stream):
                return
        elif first.numel():
            memory = tensors + results
            addresses = [t.data_ptr() for t in memory]
            layouts = tuple(
                [(t.shape, t.stride(), a % ALIGNMENT) for t, a in zip(memory, addresses, strict=True)]
            )
            rows = rows_of(self.method, first.dtype, device, layouts)
            if rows is not None and not rows.overlaps.among(addresses):
                rows.start(tuple([addresses[i] for i in rows.order]), launchable(stream))
                return
        by_arrays(self.method, tensors, results, stream)


def prepare(method: Any, dtype: torch.dtype, device: int, stepping: tuple[bool, ...]) -> Prepared:
    refuse_without_gpu(method.label)
    import cupy

    from gpu_sigmoid.backends.cupy import lut, packed

    name = NAMES[dtype]
    kinds = tuple(packed.VECTORS if steps else packed.ELEMENT for steps in stepping)
    with cupy.cuda.Device(device):
        kernel, elements_a_thread = packed.kernel(method.formula, method.mode, name, kinds)
        below = lut.SERVED_FROM if is_tabulable(method.formula, method.mode, name) else float("inf")
        return Prepared(packed, kernel.kernel.linear_launch, elements_a_thread, dtype.itemsize, below)


def launched(
    prepared: Prepared, size: int, stepping: tuple[bool, ...], addresses: list[int], stream: int
) -> bool:
    """Launch the kernel and return True, or return False for tensors that it does not accept."""
    if not size or size >= prepared.below:
        return not size
    packed = prepared.packed
    distance = addresses[-1] % packed.VECTOR
    arrays, elements = addresses, []
    if not all(stepping):
        operands = addresses[: len(stepping)]
        elements = [a for a, steps in zip(operands, stepping, strict=True) if not steps]
        arrays = [a for a, steps in zip(operands, stepping, strict=True) if steps]
        arrays += addresses[len(stepping) :]
    for address in arrays:
        if address % packed.VECTOR != distance:
            return False
    before = packed.before_a_vector(size, distance, prepared.itemsize)
    everything = (*arrays, *elements)
    packed.start(
        prepared.linear_launch, prepared.elements_a_thread, everything, size, before, launchable(stream)
    )
    return True


class Rows(NamedTuple):
    """A method's kernel for tensors that lie as others did, as rows at a pitch."""

    start: Any
    order: tuple[int, ...]
    """In which the kernel takes operands and results."""
    overlaps: Overlaps


@lru_cache(maxsize=1024)
def rows_of(method: Any, dtype: torch.dtype, device: int, layouts: tuple) -> Rows | None:
    """Return what serves tensors of such shapes, strides and alignments, None where nothing does."""
    refuse_without_gpu(method.label)
    import cupy

    from gpu_sigmoid.backends.cupy import lut, packed, pitched

    name, itemsize, count = NAMES[dtype], dtype.itemsize, len(method.operands)
    element = np.dtype(f"V{itemsize}")
    places = [
        Placed(distance, tuple(shape), tuple([itemsize * step for step in strides]), element)
        for shape, strides, distance in layouts
    ]
    found = pitched.rows_of(places[-1].shape, places[:count], places[count:])
    if found is None or any(place.address % itemsize for place in places):
        return None
    # a table serves what is a single run
    tabulable = is_tabulable(method.formula, method.mode, name)
    if tabulable and found.rows == 1 and found.columns >= lut.SERVED_FROM:
        return None
    with cupy.cuda.Device(device):
        launch = pitched.prepared(method.formula, method.mode, name, found)
    if launch is None:
        return None
    kinds = packed.VECTORS, packed.ELEMENT
    vectors, elements = ([i for i, kind in enumerate(found.kinds) if kind == k] for k in kinds)
    order = (*vectors, *range(count, len(places)), *elements)
    return Rows(launch.start, order, Overlaps(places, count))


def launchable(stream: int) -> Stream:
    return _streams.get(stream) or _streams.setdefault(stream, Stream(stream))


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
