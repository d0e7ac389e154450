"""Computing on tensors in the host's memory, by the kernels of NumPy arrays, without a copy."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, empty_like

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.addresses import SMALL, Loop, packed_count
from gpu_sigmoid.backends.cpu.jobs import Plan, plan_of
from gpu_sigmoid.backends.cpu.threads import run, threads_for
from gpu_sigmoid.backends.torch.computation import Computation, Tensors, flat
from gpu_sigmoid.backends.torch.operands import NAMES


class Memory:
    """A tensor's memory, in the form that NumPy accepts.

    `Tensor.numpy` takes longer, refuses tensors that require a gradient, and makes the storage
    unresizable.
    """

    __slots__ = ("tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __dlpack__(self, **options: Any) -> Any:
        return torch._C._to_dlpack_versioned(self.tensor)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def as_numpy(tensor: Tensor) -> np.ndarray:
    """Return an array on a tensor's memory."""
    return np.from_dlpack(Memory(tensor))


# older versions make read-only arrays
if not hasattr(torch._C, "_to_dlpack_versioned") or np.lib.NumpyVersion(np.__version__) < "2.1.0":

    def as_numpy(tensor: Tensor) -> np.ndarray:
        return tensor.detach().numpy()


class OnHost(Computation):
    """By the loops of NumPy's ufuncs."""

    def __init__(self, method: Any) -> None:
        super().__init__(method)
        self.loops: dict[torch.dtype, Loop] = {}
        self.alone = self.count == len(method.operands) == 1

    def new(self, tensors: Tensors) -> Any:
        """Return new results: a tuple if there are several."""
        first = tensors[0]
        loop = self.loops.get(first.dtype)
        size = first.numel()
        if loop is None or size > SMALL or not first.is_contiguous():
            return super().new(tensors)
        # This skips the steps of `into`, which take most of a small call's time.
        if self.alone:
            result = empty_like(first)
            addresses = loop.packed(first.data_ptr(), result.data_ptr())
            loop.held(addresses, packed_count(size), loop.all_steps, loop.data)
            return result
        shape = first.shape
        stepping: tuple[bool, ...] = (True,)
        for other in tensors[1:]:
            if other.shape != shape:
                return super().new(tensors)
            steps = other.is_contiguous()
            if not steps and any(other.stride()):
                return super().new(tensors)
            stepping += (steps,)
        if self.count > 1:
            results = tuple([empty_like(first) for _ in range(self.count)])
            loop(size, stepping, *[t.data_ptr() for t in tensors + results])
            return results
        result = empty_like(first)
        loop(size, stepping, *[t.data_ptr() for t in tensors], result.data_ptr())
        return result

    def into(self, tensors: Tensors, results: Tensors) -> None:
        """Write to results with the tensors' dtype and their broadcast shape."""
        first, result = tensors[0], results[0]
        dtype = result.dtype
        loop = self.loops.get(dtype)
        if loop is None:
            loop = self.loops[dtype] = Loop(self.kernel(dtype), dtype.itemsize)
        size = result.numel()
        if self.alone and size <= SMALL and first.is_contiguous() and result.is_contiguous():
            source, target = first.data_ptr(), result.data_ptr()
            if source == target or abs(source - target) >= size * dtype.itemsize:
                loop.held(loop.packed(source, target), packed_count(size), loop.all_steps, loop.data)
                return
        found = flat(tensors, results) if threads_for(loop.ufunc, size) == 1 else None
        if found is not None:
            stepping, addresses = found
            loop(size, stepping, *addresses)
            return
        kernel, memory = loop.ufunc, tensors + results
        plan = plan_for(kernel, memory)
        job = plan.job(kernel, [t.data_ptr() for t in memory])
        if job is not None:
            run(plan, job, kernel)
        else:
            by_arrays(kernel, tensors, results)

    def kernel(self, dtype: torch.dtype) -> np.ufunc:
        return cpu.kernel(self.method.formula, self.method.mode, NAMES[dtype])


def plan_for(kernel: np.ufunc, tensors: Tensors) -> Plan:
    """Return the plan for calls on tensors with the layout of these."""
    itemsize = tensors[0].dtype.itemsize
    views = [(t.shape, tuple([step * itemsize for step in t.stride()])) for t in tensors]
    return plan_of(itemsize, kernel.nin, tuple(views))


def by_arrays(kernel: np.ufunc, tensors: Tensors, results: Tensors) -> None:
    """Compute by NumPy, which copies operands that overlap results."""
    memory = tensors + results
    if results[0].dtype is torch.bfloat16:
        # NumPy has no bfloat16; the kernels take the bits
        memory = tuple([t.view(torch.uint16) for t in memory])
    arrays = [as_numpy(t) for t in memory]
    kernel(*arrays[: kernel.nin], out=tuple(arrays[kernel.nin :]))
