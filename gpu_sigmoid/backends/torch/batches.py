"""Tensors with an axis that torch.vmap maps over."""

from torch import Tensor


def aligned(tensors: tuple[Tensor, ...], dims: tuple) -> list[Tensor]:
    """Return tensors with the mapped axis first, followed by as many axes as broadcasting needs."""
    rank = max(t.ndim - (d is not None) for t, d in zip(tensors, dims, strict=True))
    moved = []
    for tensor, dim in zip(tensors, dims, strict=True):
        if dim is None:
            moved.append(tensor)
            continue
        first = tensor.movedim(dim, 0)
        missing = rank + 1 - first.ndim
        moved.append(first.reshape(first.shape[0], *[1] * missing, *first.shape[1:]))
    return moved
