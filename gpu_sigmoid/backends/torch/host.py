"""Computing on tensors in the host's memory, by the kernels of NumPy arrays, without a copy."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, empty_like

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.addresses import GIL_HELD_UP_TO, Loop, packed_count
from gpu_sigmoid.backends.cpu.threads import run, threads_for
from gpu_sigmoid.backends.prepared import Calls
from gpu_sigmoid.backends.torch.computation import Computation, Tensors, flat
from gpu_sigmoid.backends.torch.operands import NAMES, results_like
from gpu_sigmoid.backends.torch.prepared import Call, described, plan_for


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
        self.prepared = Calls(described)

    def new(self, tensors: Tensors) -> Any:
        """Return new results: a tuple if there are several."""
        first = tensors[0]
        loop = self.loops.get(first.dtype)
        size = first.numel()
        if loop is None or size > GIL_HELD_UP_TO:
            return super().new(tensors)
        if not first.is_contiguous():
            return self.with_layout(tensors)
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
                return self.with_layout(tensors)
            steps = other.is_contiguous()
            if not steps and any(other.stride()):
                return self.with_layout(tensors)
            stepping += (steps,)
        if self.count > 1:
            results = tuple([empty_like(first) for _ in range(self.count)])
            loop(size, stepping, *[t.data_ptr() for t in tensors + results])
            return results
        result = empty_like(first)
        loop(size, stepping, *[t.data_ptr() for t in tensors], result.data_ptr())
        return result

    def with_layout(self, tensors: Tensors) -> Any:
        """Return new results for operands of any layout, by the plan of an earlier call if there was one."""
        found = self.prepared(tensors, None)
        if found is not NotImplemented:
            return found
        results = results_like(self.method, tensors, self.count)
        self.into(tensors, results)
        views = [(tensor,) for tensor in tensors + results]
        call = Call(self.kernel(results[0].dtype), views, tensors, results)
        self.prepared.remember(tensors, None, call)
        return results if self.count > 1 else results[0]

    def into(self, tensors: Tensors, results: Tensors) -> None:
        """Write to results with the tensors' dtype and their broadcast shape."""
        first, result = tensors[0], results[0]
        dtype = result.dtype
        loop = self.loops.get(dtype)
        if loop is None:
            loop = self.loops[dtype] = Loop(self.kernel(dtype), dtype.itemsize)
        size = result.numel()
        if self.alone and size <= GIL_HELD_UP_TO and first.is_contiguous() and result.is_contiguous():
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


def by_arrays(kernel: np.ufunc, tensors: Tensors, results: Tensors) -> None:
    """Compute by NumPy, which copies operands that overlap results."""
    memory = tensors + results
    if results[0].dtype is torch.bfloat16:
        # NumPy has no bfloat16; the kernels take the bits
        memory = tuple([t.view(torch.uint16) for t in memory])
    arrays = [as_numpy(t) for t in memory]
    kernel(*arrays[: kernel.nin], out=tuple(arrays[kernel.nin :]))
