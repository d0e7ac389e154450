"""Both operands in one tensor: recorded as a call whose backward pass fills the halves of one gradient.

If more than the tensors records what is done with them (a transform, a mode, a tracer, a compiler),
the halves are ordinary operands, and their results are joined. In the host's memory a call with
the layout of an earlier one makes no views of the halves, which takes torch as long as its own `glu`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch._C import _dispatch_keys
from torch._C._autograd import _profiler_enabled
from torch.compiler import is_dynamo_compiling
from torch.fx import Proxy

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.prepared import Calls
from gpu_sigmoid.backends.torch.computation import Tensors
from gpu_sigmoid.backends.torch.direct import KINDS, PLAIN, undisturbed, within_a_kernel
from gpu_sigmoid.backends.torch.operands import NAMES
from gpu_sigmoid.backends.torch.prepared import Call, described
from gpu_sigmoid.registry import FUNCTIONS

PLAIN_ANYWHERE = PLAIN["CPU"] | PLAIN["CUDA"]


def of_halves(packed: Any, x: Tensor, axis: int) -> Tensor:
    """Return the value of a packed function, or its proxy in a graph of torch.fx."""
    if alone(x):
        recorded = torch.is_grad_enabled() and x.requires_grad and not within_a_kernel()
        return Recorded.apply(packed, axis, x) if recorded else value(packed, axis, x)
    if isinstance(x, Proxy):
        return x.tracer.create_proxy("call_function", call_by_name, (packed.function.name, x, axis), {})
    return packed.of_both("value", *packed.halves(x, axis))


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
    """Return whether these are plain tensors, and nothing else records what is done with them."""
    if is_dynamo_compiling() or not undisturbed():
        return False
    for tensor in tensors:
        if type(tensor) not in KINDS or _dispatch_keys(tensor).raw_repr() not in PLAIN_ANYWHERE:
            return False
    return True


class Recorded(torch.autograd.function._SingleLevelFunction):
    """A packed function of a tensor: its base as in `derivatives`."""

    @staticmethod
    def forward(ctx: Any, packed: Any, axis: int, x: Tensor) -> Tensor:
        ctx.packed, ctx.axis = packed, axis
        ctx.save_for_backward(x)
        return value(packed, axis, x)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return None, None, vjp(ctx.packed, ctx.axis, x, cotangent)


def value(packed: Any, axis: int, x: Tensor) -> Tensor:
    """Return the value, of which nothing is recorded."""

    def by_views() -> tuple[Tensor, list[Tensors]]:
        halves = packed.halves(x, axis)
        result = packed.of_both("value", *halves)
        return result, [halves, (result,)]

    return like_earlier(packed.function, axis, (x,), by_views)


def vjp(packed: Any, axis: int, x: Tensor, cotangent: Tensor) -> Tensor:
    """Return the gradient, which is recorded if it will be differentiated."""

    def by_views() -> tuple[Tensor, list[Tensors]]:
        gradient = packed.vjp(x, cotangent, axis)
        return gradient, [packed.halves(x, axis), (cotangent,), packed.halves(gradient, axis)]

    if not fills(x, cotangent):
        return packed.vjp(x, cotangent, axis)
    return like_earlier(packed.function.methods["vjp"], axis, (x, cotangent), by_views)


def like_earlier(method: Any, axis: int, tensors: Tensors, by_views: Callable[[], tuple]) -> Tensor:
    """Return the result of a method, without making views if an earlier call had tensors of this layout.

    `by_views` returns it, and the views of each tensor and of the result, as in `Call`.
    """
    dtype = tensors[0].dtype
    for tensor in tensors:
        if tensor.dtype != dtype or not tensor.is_cpu:
            return by_views()[0]
    # a profiler has to see the operator
    if dtype not in NAMES or type(axis) is not int or _profiler_enabled():
        return by_views()[0]
    calls = calls_of(method, axis)
    result = calls(tensors, None)
    if result is NotImplemented:
        result, views = by_views()
        kernel = cpu.kernel(method.formula, method.mode, NAMES[dtype])
        calls.remember(tensors, None, Call(kernel, views, tensors, (result,)))
    return result


@lru_cache
def calls_of(method: Any, axis: int) -> Calls:
    """Return a method's calls on the halves of tensors' axis."""
    return Calls(described)
