"""PyTorch tensors: operators of its own library, with derivatives of every order we offer.

- `tensors`: computing on a tensor's memory, where it lies
- `ops`: that as operators that autograd, vmap, fake tensors and torch.compile know
"""

from typing import Any

import torch

from gpu_sigmoid.backends.torch.ops import apply
from gpu_sigmoid.backends.torch.tensors import compute_into, promoted


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on tensors of one device; gradients flow to all of them."""
    tensors = promoted(method, operands)
    if out is None:
        return apply(method, *tensors)
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        raise RuntimeError(
            f"{method.label}: with out=, nothing is recorded for a gradient, and an operand requires "
            "one: leave out= away, or compute under torch.no_grad()"
        )
    return compute_into(method, tensors, out)
