"""Calls that do not need torch's dispatcher: tensors of one dtype, in plain memory.

A dispatcher's kernel in Python costs three times as much as the rest of a small call. So if no
transform, mode, tracer, profiler or autocast is active, and no tensor is a view that torch would have to
resolve, a method's kernel is called directly, and recorded for gradients as the operator would be.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, is_grad_enabled
from torch._C import (
    DispatchKey,
    DispatchKeySet,
    _dispatch_keys,
    _dispatch_tls_is_dispatch_key_excluded,
    _dispatch_tls_local_include_set,
    _increment_version,
    _is_any_autocast_enabled,
    _is_torch_function_mode_enabled,
)
from torch._C._autograd import _profiler_enabled
from torch.autograd import forward_ad
from torch.compiler import is_dynamo_compiling

from gpu_sigmoid.backends.torch.computation import Computation, Tensors
from gpu_sigmoid.backends.torch.derivatives import differentiable
from gpu_sigmoid.backends.torch.operands import NAMES, check_memory, check_outs
from gpu_sigmoid.backends.torch.operators import (
    call,
    computations,
    devices_in_float32,
    dispatched,
    refuse_gradients,
    refuse_inference_tensors,
)
from gpu_sigmoid.registry import FUNCTIONS

KINDS = (Tensor, torch.nn.Parameter)
"""The types of tensors without overridden behaviour."""


def keys(*names: str) -> int:
    found = DispatchKeySet(getattr(DispatchKey, names[0]))
    for name in names[1:]:
        found = found | DispatchKeySet(getattr(DispatchKey, name))
    return found.raw_repr()


MODES = {keys("BackendSelect"), keys("BackendSelect", "ADInplaceOrView")}
"""The dispatch keys that a thread adds to every tensor's when nothing special is active."""

MADE_IN_INFERENCE = {keys(place, f"Autocast{place}") for place in ("CPU", "CUDA")}
"""The dispatch keys of plain tensors that were made in inference mode."""

PLAIN = {
    place: {
        keys(place, f"Autocast{place}"),
        keys(place, f"Autocast{place}", "ADInplaceOrView", f"Autograd{place}"),
    }
    for place in ("CPU", "CUDA")
}
"""The dispatch keys of plain tensors: those made in inference mode have two fewer."""


def undisturbed() -> bool:
    """Return whether no transform, mode, tracer or forward mode is active."""
    return (
        _dispatch_tls_local_include_set().raw_repr() in MODES
        and not _is_torch_function_mode_enabled()
        and forward_ad._current_level < 0
    )


def within_a_kernel() -> bool:
    """Return whether this is called by another operator's kernel, where nothing is recorded."""
    excluded: bool = _dispatch_tls_is_dispatch_key_excluded(DispatchKey.AutogradOther)
    return excluded


def direct_of(method: Any) -> Callable[[tuple, Any], Any]:
    """Return a method on plain tensors; for others it returns NotImplemented without doing anything."""
    count = len(method.mode.partials)
    alone = len(method.operands) == 1
    cast = bool(devices_in_float32(method))
    served = {
        found: computation for place, computation in computations(method).items() for found in PLAIN[place]
    }
    recorded = differentiable(method, derivative)

    def direct(operands: Tensors, out: Any) -> Any:
        if is_dynamo_compiling():
            # torch.compile follows the Python code and must find the operator
            return dispatched(method, operands, out)
        if not undisturbed() or (cast and _is_any_autocast_enabled()) or _profiler_enabled():
            return NotImplemented
        first = operands[0]
        found = _dispatch_keys(first).raw_repr()
        computation = served.get(found)
        dtype = first.dtype
        if computation is None or dtype not in NAMES:
            return NotImplemented
        requires_grad = first.requires_grad
        if not alone:
            device = first.get_device()
            for i, other in enumerate(operands[1:], 1):
                if type(other) not in KINDS:
                    if type(other) not in (float, int) or device >= 0:
                        return NotImplemented
                    # as `promoted` does; to a GPU its copy takes longer than all the rest
                    operands = (*operands[:i], torch.as_tensor(other, dtype=dtype), *operands[i + 1 :])
                    continue
                if (
                    other.dtype != dtype
                    or other.get_device() != device
                    or _dispatch_keys(other).raw_repr() != found
                ):
                    return NotImplemented
                requires_grad = requires_grad or other.requires_grad
        if out is not None:
            return into(computation, operands, out, found, requires_grad)
        if not (requires_grad and is_grad_enabled()):
            return computation.new(operands)
        if within_a_kernel():
            return NotImplemented
        return recorded(computation.new, False, *operands)

    def into(computation: Computation, operands: Tensors, out: Any, found: int, requires_grad: bool) -> Any:
        outs = out if type(out) is tuple else (out,)
        if len(outs) != count:
            return NotImplemented
        for target in outs:
            if type(target) not in KINDS or _dispatch_keys(target).raw_repr() != found:
                return NotImplemented
            requires_grad = requires_grad or target.requires_grad
        if requires_grad:
            refuse_gradients(method, operands + outs)
        check_outs(method, operands, outs)
        check_memory(method, outs)
        if found in MADE_IN_INFERENCE:
            refuse_inference_tensors(method, outs)
        computation.into(operands, outs)
        _increment_version(outs)
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
    """Register the direct calls of all methods under the type of tensors."""
    for function in FUNCTIONS.values():
        for method in function.methods.values():
            direct = direct_of(method)
            for kind in KINDS:
                method.ready[kind] = direct
