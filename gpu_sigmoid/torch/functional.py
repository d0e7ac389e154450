"""The computations of modules that take several operators."""

from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import _reduction

import gpu_sigmoid as gs
from gpu_sigmoid.backends.torch.halves import of_halves
from gpu_sigmoid.backends.torch.operators import IN_FLOAT32


def packed(function: str, x: Tensor, dim: int) -> Tensor:
    """Return a function of the halves of an axis; raise torch.nn.GLU's errors if it cannot be halved."""
    if x.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    # for a missing axis torch raises its own IndexError
    length = x.size(dim)
    if length % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % x.ndim} is size {length}")
    return of_halves(gs.FUNCTIONS[function].packed, x, dim)


def silu_in_place(x: Tensor) -> Tensor:
    """Write silu(x) to x, which it returns."""
    if isinstance(x, Tensor) and not x.is_floating_point():
        raise NotImplementedError(
            f"SiLU: {x.dtype} cannot hold the results, which inplace=True writes to the input: convert it to "
            "floating point, or omit inplace"
        )
    # torch.jit.trace records operators alone, for calls with gradients and without
    tracing = torch._C._get_tracing_state() is not None
    elsewhere = tracing or is_recorded_elsewhere()
    if tracing or (torch.is_grad_enabled() and (x.requires_grad or elsewhere)):
        before = x.clone()
        if elsewhere or x.is_leaf or x._is_view():
            # torch does the rest of an assignment's bookkeeping, and raises the errors
            return x.copy_(gs.silu(before))
        return InPlace.apply(x, before)
    return x.copy_(gs.silu(x)) if elsewhere else gs.silu(x, out=x)


class InPlace(torch.autograd.Function):
    """Write silu(before) to x and return x, so that gradients go to the tensor that x was before."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, before: Tensor) -> Tensor:
        ctx.mark_dirty(x)
        ctx.save_for_backward(before)
        return gs.silu(before, out=x)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        return None, gs.silu.vjp(*ctx.saved_tensors, cotangent)


def binary_cross_entropy(
    logits: Tensor, target: Tensor, weight: Tensor | None, pos_weight: Tensor | None, reduction: str
) -> Tensor:
    """Return the loss, as torch.nn.functional's binary_cross_entropy_with_logits."""
    if target.shape != logits.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({logits.shape}): one target for "
            "each logit"
        )
    _reduction.get_enum(reduction)
    for name, given in (("weight", weight), ("pos_weight", pos_weight)):
        if given is not None and not broadcasts_to(given.shape, logits.shape):
            raise RuntimeError(
                f"{name} of shape {tuple(given.shape)} does not broadcast to the logits' shape "
                f"{tuple(logits.shape)}"
            )
    if pos_weight is not None:
        # as in torch, where it does not change the dtype of the loss
        pos_weight = pos_weight.to(result_dtype("bce_with_logits", logits, target))
    loss = gs.bce_with_logits(logits, target, pos_weight=pos_weight)
    if weight is not None:
        # as in torch, which multiplies in place
        loss = (loss * weight).to(loss.dtype)
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def is_recorded_elsewhere() -> bool:
    """Return whether more than the tensor itself records what is done with it.

    An outer level of a transform may need a gradient. Compilers remove what turns out unneeded.
    """
    if torch.compiler.is_compiling():
        return True
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def result_dtype(function: str, *tensors: Tensor) -> torch.dtype:
    """Return the dtype of a function's results for tensors of the same shape, under autocast too."""
    dtype = reduce(torch.promote_types, [t.dtype for t in tensors])
    if not (dtype.is_floating_point or dtype.is_complex):
        return torch.get_default_dtype()
    device = tensors[0].device.type
    if dtype.itemsize == 2 and function in IN_FLOAT32.get(device.upper(), ()):
        return torch.float32 if torch.is_autocast_enabled(device) else dtype
    return dtype


def broadcasts_to(shape: torch.Size, other: torch.Size) -> bool:
    """Return whether a shape broadcasts to another one without changing that."""
    if len(shape) > len(other):
        return False
    return all([n == 1 or n == m for n, m in zip(shape[::-1], other[::-1], strict=False)])
