"""Computing on tensors in the host's memory, by the kernels of NumPy arrays, without a copy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM, blockable, run_split, separable
from gpu_sigmoid.backends.cpu.workers import share
from gpu_sigmoid.environment import get_num_threads

Tensors = tuple[Tensor, ...]
Kernels = dict[torch.dtype, np.ufunc]

NAMES = {
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.float64: "float64",
}
"""The dtypes that are served."""

# Elements. An operand that is one number for all, such as the cotangent of a sum, is laid out once for a
# block, which stays in the cache: the kernels' loop takes 5 times as long for a step of 0. A smaller call
# is over before it is found.
BLOCK = 1 << 16
SMALL = 1 << 12


class Memory:
    """A tensor's memory, as NumPy takes it.

    `Tensor.numpy` takes longer, refuses what requires a gradient, and leaves a storage that
    cannot be resized.
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


# older ones make arrays that cannot be written to
if not hasattr(torch._C, "_to_dlpack_versioned") or np.lib.NumpyVersion(np.__version__) < "2.1.0":

    def as_numpy(tensor: Tensor) -> np.ndarray:
        return tensor.detach().numpy()


def computation(method: Any, kernels: Kernels) -> Callable[[Tensors, Tensors], None]:
    """Return what computes a method's results from its operands, nothing recorded for gradients.

    It puts what it has compiled into `kernels`.
    """

    def compute(tensors: Tensors, results: Tensors) -> None:
        result = results[0]
        dtype = result.dtype
        kernel = kernels.get(dtype)
        if kernel is None:
            kernel = kernels[dtype] = cpu.kernel(method.formula, method.mode, NAMES[dtype])
        memory = tensors + results
        if dtype is torch.bfloat16:
            # NumPy has none, the kernels take the bits
            memory = tuple([t.view(torch.uint16) for t in memory])
        arrays = [as_numpy(t) for t in memory]
        if result.numel() <= SMALL:
            kernel(*arrays)
            return
        inputs, outs = tuple(arrays[: kernel.nin]), tuple(arrays[kernel.nin :])
        if all([any(a.strides) for a in inputs]):
            run_split(kernel, outs[0].dtype, inputs, outs)
        else:
            in_blocks(kernel, inputs, outs)

    return compute


def in_blocks(kernel: np.ufunc, inputs: tuple[np.ndarray, ...], outs: tuple[np.ndarray, ...]) -> None:
    """Compute on arrays some of which are one number for all elements."""
    numbers = tuple(a if any(a.strides) else a[(0,) * a.ndim] for a in inputs)
    views = blockable((*numbers, *outs), outs[0].shape)
    size, arrays = outs[0].size, [v for v in views if v.ndim]
    inner, written = arrays[: -len(outs)], tuple(arrays[-len(outs) :])
    # where a block would write what a later one reads, NumPy makes copies
    if views[-1].ndim > 1 or (size > BLOCK and not separable(inner, written)):
        run_split(kernel, outs[0].dtype, inputs, outs)
        return
    views = [v if v.ndim else np.full(min(size, BLOCK), v) for v in views]

    def block(i: int) -> None:
        start, stop = i * BLOCK, min((i + 1) * BLOCK, size)
        parts = [v[start:stop] if v.size == size else v[: stop - start] for v in views]
        kernel(*parts[: kernel.nin], out=tuple(parts[kernel.nin :]))

    blocks = -(-size // BLOCK)
    share(block, blocks, min(get_num_threads(), blocks) - 1 if outs[0].nbytes >= SPLIT_FROM else 0)
