"""Both operands in one tensor: recorded as a call whose backward pass fills the halves of one gradient.

If more than the tensors records what is done with them (a transform, a mode, a tracer, a compiler),
the halves are ordinary operands, and their results are joined.
"""

from typing import Any

import torch
from torch import Tensor
from torch.compiler import is_dynamo_compiling
from torch.fx import Proxy

from gpu_sigmoid.backends.torch.direct import KINDS, undisturbed
from gpu_sigmoid.registry import FUNCTIONS


def of_halves(packed: Any, x: Tensor, axis: int) -> Tensor:
    """Return the value of a packed function, or its proxy in a graph of torch.fx."""
    if isinstance(x, Proxy):
        return x.tracer.create_proxy("call_function", call_by_name, (packed.function.name, x, axis), {})
    if torch.is_grad_enabled() and x.requires_grad and alone(x):
        return Recorded.apply(packed, axis, x)
    return packed.function(*packed.halves(x, axis))


def call_by_name(function: str, x: Tensor, axis: int) -> Tensor:
    """Call a packed function, as graphs of torch.fx do."""
    return FUNCTIONS[function].packed(x, axis)


def fills(x: Tensor, *others: Any) -> bool:
    """Return whether gradients can be written to a new tensor like x, since nothing has to be recorded."""
    if not alone(x, *others):
        return False
    recorded = torch.is_grad_enabled() and any([t.requires_grad for t in (x, *others)])
    return x.is_floating_point() and not recorded


def alone(*tensors: Any) -> bool:
    """Return whether these are tensors, and nothing else records what is done with them."""
    return not is_dynamo_compiling() and undisturbed() and all([type(t) in KINDS for t in tensors])


class Recorded(torch.autograd.function._SingleLevelFunction):
    """A packed function of a tensor: its base as in `derivatives`."""

    @staticmethod
    def forward(ctx: Any, packed: Any, axis: int, x: Tensor) -> Tensor:
        ctx.packed, ctx.axis = packed, axis
        ctx.save_for_backward(x)
        return packed.function(*packed.halves(x, axis))

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        # which is itself recorded if it will be differentiated
        return None, None, ctx.packed.vjp(*ctx.saved_tensors, cotangent, ctx.axis)
