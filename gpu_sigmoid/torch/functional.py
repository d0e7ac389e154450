"""What modules compute by several operators."""

import torch
from torch import Tensor
from torch.nn import _reduction

import gpu_sigmoid as gs

WIDER = {torch.float16: torch.float32, torch.bfloat16: torch.float32, torch.float32: torch.float64}


def silu_in_place(x: Tensor) -> Tensor:
    """Write silu(x) to x, which it returns."""
    # the gradient needs x as it was
    recorded = torch.is_grad_enabled() and x.requires_grad
    return x.copy_(gs.silu(x.clone() if recorded else x))


def scaled_softplus(x: Tensor, beta: float) -> Tensor:
    """Return log(1 + exp(beta x)) / beta, computed in the next wider dtype."""
    wide = x.to(WIDER.get(x.dtype, x.dtype))
    scaled = wide * beta
    # the product may overflow where the result does not
    return torch.where(scaled == torch.inf, wide, gs.softplus(scaled) / beta).to(x.dtype)


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
    if pos_weight is None:
        loss = gs.bce_with_logits(logits, target)
    else:
        loss = weighted_cross_entropy(logits, target, pos_weight)
    if weight is not None:
        loss = loss * weight
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def weighted_cross_entropy(logits: Tensor, target: Tensor, pos_weight: Tensor) -> Tensor:
    """Return (1 - target) softplus(x) + pos_weight target softplus(-x), by terms that are not negative."""
    dtype = torch.promote_types(logits.dtype, target.dtype)
    wide = torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype
    x, hit = logits.to(wide), target.to(wide)
    hits, misses = gs.softplus(-x), gs.softplus(x)
    return (costing(pos_weight * hit, hits) + costing(1 - hit, misses)).to(dtype)


def costing(weight: Tensor, cost: Tensor) -> Tensor:
    """Return weight * cost, which is 0 for an infinite cost of no weight, and has no nan as a gradient."""
    return weight * cost.masked_fill((weight == 0) & cost.isinf(), 0.0)
