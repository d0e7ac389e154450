"""Computing on tensors in the host's memory, by the kernels of NumPy arrays, without a copy."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM, blockable, run_split
from gpu_sigmoid.backends.cpu.workers import share
from gpu_sigmoid.environment import get_num_threads

NAMES = {
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.float64: "float64",
}
"""The dtypes that are served."""

# Elements. An operand that is one number for all, such as the cotangent of a sum, is laid out once for a
# block, which stays in the cache: the kernels' loop takes 5 times as long for a step of 0.
BLOCK = 1 << 15


def compute(method: Any, tensors: tuple[Tensor, ...], results: tuple[Tensor, ...]) -> None:
    """Compute results, nothing recorded for gradients."""
    kernel = cpu.kernel(method.formula, method.mode, NAMES[tensors[0].dtype])
    inputs, outs = tuple([as_numpy(t) for t in tensors]), tuple([as_numpy(r) for r in results])
    if outs[0].size <= BLOCK:
        kernel(*inputs, out=outs)
    elif all(any(a.strides) for a in inputs):
        run_split(kernel, outs[0].dtype, inputs, outs)
    else:
        in_blocks(kernel, inputs, outs)


def in_blocks(kernel: np.ufunc, inputs: tuple[np.ndarray, ...], outs: tuple[np.ndarray, ...]) -> None:
    """Compute on arrays some of which are one number for all elements."""
    numbers = tuple(a if any(a.strides) else a[(0,) * a.ndim] for a in inputs)
    views = blockable((*numbers, *outs), outs[0].shape)
    if views[-1].ndim > 1:
        run_split(kernel, outs[0].dtype, inputs, outs)
        return
    size = outs[0].size
    views = [v if v.ndim else np.full(BLOCK, v) for v in views]

    def block(i: int) -> None:
        start, stop = i * BLOCK, min((i + 1) * BLOCK, size)
        parts = [v[start:stop] if v.size == size else v[: stop - start] for v in views]
        kernel(*parts[: kernel.nin], out=tuple(parts[kernel.nin :]))

    blocks = -(-size // BLOCK)
    share(block, blocks, min(get_num_threads(), blocks) - 1 if outs[0].nbytes >= SPLIT_FROM else 0)


def as_numpy(tensor: Tensor) -> np.ndarray:
    """Return an array on a tensor's memory; NumPy has no bfloat16, its kernels take the bits."""
    if tensor.requires_grad:
        tensor = tensor.detach()
    return tensor.view(torch.uint16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()
