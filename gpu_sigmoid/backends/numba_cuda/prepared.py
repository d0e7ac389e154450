"""Calls on arrays of certain shapes, strides and dtypes; addresses, streams and numbers are left open."""

from contextlib import nullcontext
from math import prod
from typing import Any

import numpy as np

from gpu_sigmoid.backends.layout import Layout, layout_of
from gpu_sigmoid.backends.numba_cuda import kernels, memory, streams
from gpu_sigmoid.backends.numba_cuda.memory import address, on_device
from gpu_sigmoid.backends.outputs import broadcast_shape, checked_out, refuse_shared_memory
from gpu_sigmoid.backends.placed import Overlaps, Placed, ordered_strides, refuse_misaligned, shaped_like
from gpu_sigmoid.dtypes import result_name

BLOCK = (kernels.THREADS, 1, 1)


def described(operands: tuple, out: Any) -> tuple:
    """Return the key of a prepared call; a number is represented by its type."""
    arrays = (*operands, *out) if type(out) is tuple else (*operands, out)
    described = [(type(a), a.shape, a.strides, a.dtype) if on_device(a) else type(a) for a in arrays]
    if not memory.one_device():
        # a kernel is loaded on the device of its first call
        described += [a.gpu_data.context.device.id for a in arrays if on_device(a)]
    return tuple(described)


class Call:
    """A kernel, and those of its arguments that do not depend on the arrays' addresses."""

    def __init__(self, method: Any, operands: tuple, out: Any) -> None:
        name = result_name(method, operands)
        own = (o.dtype for o in operands if getattr(o, "dtype", None) == name)
        self.method, self.dtype = method, next(own, None) or np.dtype(name)
        outs = checked_out(method, self.dtype, operands, out, memory.array_type(), memory.placed)
        self.shape, self.results = broadcast_shape(method, operands), len(outs)
        like = shaped_like(self.shape, filter(on_device, operands))
        order = like.strides if like is not None else (0,) * len(self.shape)
        self.strides = ordered_strides(self.shape, self.dtype.itemsize, order)

        new = Placed(0, self.shape, self.strides, self.dtype)
        read = [at_0(o) for o in operands if on_device(o)]
        written = [new if o is None else at_0(o) for o in outs]
        layout = layout_of(self.shape, [*read, *written])
        if layout.columns in ((), (tuple(place.dtype.itemsize for place in (*read, *written)),)):
            # all contiguous in the same way, so no strides are needed
            layout = Layout((), ())
        self.size = prod(self.shape)
        self.before, self.after = (self.size, *layout.extents), layout.steps
        self.grid = (min(-(-self.size // kernels.THREADS), kernels.MOST_BLOCKS), 1, 1)
        self.kinds = tuple(o.dtype.name if on_device(o) else "number" for o in operands)
        program = kernels.program(method.formula, method.mode, name)
        self.kernel_of = (program, name, self.kinds, len(layout.extents))
        self.kernel: Any = None

        given = [*read, *(place for place, o in zip(written, outs, strict=True) if o is not None)]
        for place in given:
            memory.refuse_foreign(method, place)
        self.itemsizes = [place.dtype.itemsize for place in given]
        self.read = len(read)
        self.overlaps = Overlaps(given, self.read)

    def __call__(self, operands: tuple, out: Any) -> Any:
        outs = (None,) * self.results if out is None else out if type(out) is tuple else (out,)
        given = [array for array in (*operands, *outs) if on_device(array)]
        stream, others = streams.of(self.method, given)
        with nullcontext() if memory.one_device() else memory.device_of(self.method, given):
            for other in others:
                streams.wait(stream, other)
            results = [
                memory.empty(self.shape, self.dtype, self.strides, stream) if o is None else o for o in outs
            ]
            if self.size:
                self.launch(operands, results, outs, given, stream)
            for other in others:
                streams.wait(other, stream)
        return tuple(results) if len(results) > 1 else results[0]

    def launch(self, operands: tuple, results: list, outs: tuple, given: list, stream: Any) -> None:
        addresses = [address(array) for array in given]
        for array, at, itemsize in zip(given, addresses, self.itemsizes, strict=True):
            if at % itemsize:
                refuse_misaligned(self.method.label, memory.placed(array))
        copies = {}
        for i, j in self.overlaps.among(addresses):
            if i >= self.read:
                refuse_shared_memory(self.method, [memory.placed(given[i]), memory.placed(given[j])])
            elif i not in copies:
                copies[i] = memory.copied(self.method, given[i], stream)
        for i, (_, begin) in copies.items():
            addresses[i] = begin
        places = iter(addresses)
        arguments = [
            *self.before,
            *[
                memory.number(o, self.dtype) if k == "number" else next(places)
                for o, k in zip(operands, self.kinds, strict=True)
            ],
            *[address(r) if o is None else next(places) for o, r in zip(outs, results, strict=True)],
            *self.after,
        ]
        if self.kernel is None:
            device = kernels.numba_cuda().get_current_device().id
            self.kernel = kernels.compiled(device, *self.kernel_of)
        # the kernel's own launch; a configured kernel warns about few blocks and takes twice as long
        self.kernel.launch(arguments, self.grid, BLOCK, streams.launchable(stream))


def at_0(array: Any) -> Placed:
    """Return an array's layout, apart from its address."""
    return Placed(0, array.shape, array.strides, array.dtype)
