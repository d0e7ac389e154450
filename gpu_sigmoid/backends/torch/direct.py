"""Calls that torch's dispatcher has nothing to do for: tensors of one dtype, in plain memory.

A dispatcher's kernel in Python costs three times the rest of a small call. So where no transform,
mode, tracer, profiler or autocast is on and the tensors are no views that torch would resolve, a
method's kernel is called at once, and recorded for gradients as the operator would be.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._C import (
    DispatchKey,
    DispatchKeySet,
    _autograd,
    _dispatch_keys,
    _dispatch_tls_local_include_set,
    _is_any_autocast_enabled,
    _is_torch_function_mode_enabled,
)
from torch.autograd import forward_ad
from torch.autograd.graph import increment_version

from gpu_sigmoid.backends.torch import cuda, host
from gpu_sigmoid.backends.torch.derivatives import differentiable
from gpu_sigmoid.backends.torch.operands import check_memory, check_outs, results_like
from gpu_sigmoid.backends.torch.operators import call, refuse_gradients
from gpu_sigmoid.registry import FUNCTIONS

KINDS = (Tensor, torch.nn.Parameter)
"""The types of tensors that have no behaviour of their own."""


def keys(*names: str) -> int:
    found = DispatchKeySet(getattr(DispatchKey, names[0]))
    for name in names[1:]:
        found = found | DispatchKeySet(getattr(DispatchKey, name))
    return found.raw_repr()


MODES = {keys("BackendSelect"), keys("BackendSelect", "ADInplaceOrView")}
"""What a thread adds to every tensor's dispatch keys: nothing of interest, in inference mode or not."""

PLACES = {
    keys(*more, place, f"Autocast{place}"): module
    for place, module in (("CPU", host), ("CUDA", cuda))
    for more in ((), ("ADInplaceOrView", f"Autograd{place}"))
}
"""What computes on plain tensors, by their dispatch keys; inference tensors have two fewer."""


def direct_of(method: Any) -> Callable[[tuple, Any], Any]:
    """Return a method on plain tensors; on others it returns NotImplemented, having done nothing."""
    count = len(method.mode.partials)

    def compute(method: Any, tensors: tuple[Tensor, ...]) -> Any:
        results = results_like(tensors, count)
        place = host if tensors[0].is_cpu else cuda
        place.compute(method, tensors, results)
        return results if count > 1 else results[0]

    recorded = differentiable(method, compute, derivative)

    def direct(operands: tuple, out: Any) -> Any:
        # torch.compile follows Python: it is to find the operator
        if torch.compiler.is_compiling():
            return NotImplemented
        if (
            _dispatch_tls_local_include_set().raw_repr() not in MODES
            or _is_any_autocast_enabled()
            or _is_torch_function_mode_enabled()
            or _autograd._profiler_enabled()
            or forward_ad._current_level >= 0
        ):
            return NotImplemented
        first = operands[0]
        found = _dispatch_keys(first).raw_repr()
        place = PLACES.get(found)
        dtype = first.dtype
        if place is None or dtype not in host.NAMES:
            return NotImplemented
        requires_grad = first.requires_grad
        for other in operands[1:]:
            if (
                type(other) not in KINDS
                or other.dtype != dtype
                or other.device != first.device
                or _dispatch_keys(other).raw_repr() != found
            ):
                return NotImplemented
            requires_grad = requires_grad or other.requires_grad
        if out is not None:
            return into(operands, out, found)
        if requires_grad and torch.is_grad_enabled():
            return recorded(*operands)
        results = results_like(operands, count)
        place.compute(method, operands, results)
        return results if count > 1 else results[0]

    def into(operands: tuple, out: Any, found: int) -> Any:
        outs = out if type(out) is tuple else (out,)
        if len(outs) != count or any([type(o) not in KINDS or _dispatch_keys(o).raw_repr() != found for o in outs]):
            return NotImplemented
        refuse_gradients(method, (*operands, *outs))
        check_outs(method, operands, outs)
        check_memory(method, outs)
        PLACES[found].compute(method, operands, outs)
        increment_version(outs)
        return out

    return direct


def derivative(method: Any, tensors: tuple[Tensor, ...]) -> Any:
    """Compute a method of plain tensors, or of others if a cotangent is one."""
    if type(tensors[0]) in KINDS:
        result = method.ready[Tensor](tensors, None)
        if result is not NotImplemented:
            return result
    return call(method, tensors)


def install() -> None:
    """Let `dispatch` find this by a tensor's type."""
    for function in FUNCTIONS.values():
        for method in function.methods.values():
            direct = direct_of(method)
            for kind in KINDS:
                method.ready[kind] = direct
