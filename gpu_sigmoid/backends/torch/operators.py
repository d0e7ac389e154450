"""Every mode of every function as operators of torch, `torch.ops.gpu_sigmoid.NAME` and `NAME.out`.

Torch's dispatcher has the same entries for each as for its own operators: a kernel for each device, for
tensors without data and for batches, and derivatives. So transforms, modes, compilers and subclasses of
tensors need nothing else. An operator declares the tensors that it writes to, so that torch increments
their versions, functionalises the operator, and checks leaves and inference tensors.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch._functorch.utils import enable_single_level_autograd_function
from torch.autograd import forward_ad

from gpu_sigmoid.backends.torch.batches import aligned
from gpu_sigmoid.backends.torch.computation import Computation
from gpu_sigmoid.backends.torch.cuda import OnCuda
from gpu_sigmoid.backends.torch.derivatives import differentiable
from gpu_sigmoid.backends.torch.host import OnHost
from gpu_sigmoid.backends.torch.operands import check_memory, check_outs, outs_of, promoted, results_like
from gpu_sigmoid.registry import FUNCTIONS

LIBRARY = torch.library.Library("gpu_sigmoid", "DEF")
"""The operators, registered as long as this object lives."""

# By name, not by method: a compiled program is reused for other objects whose attributes it read are equal,
# so that it must have read one that tells methods apart.
OPERATORS: dict[str, Callable[..., Any]] = {}
"""The operators that return new tensors, by the method's name."""

OUT_OPERATORS: dict[str, Callable[..., None]] = {}
"""The operators that write to `out`, or to `out0` and `out1`, by the method's name."""

# like torch's functions of these names
IN_FLOAT32 = {"CPU": ("bce_with_logits",), "CUDA": ("bce_with_logits", "softplus")}


def call(method: Any, tensors: tuple[Tensor, ...]) -> Any:
    return OPERATORS[method.name](*tensors)


def dispatched(method: Any, operands: tuple, out: Any) -> Any:
    """Compute a method of tensors and numbers by its operator."""
    tensors = promoted(method, operands)
    if out is None:
        return OPERATORS[method.name](*tensors)
    outs = outs_of(method, out)
    OUT_OPERATORS[method.name](*tensors, **dict(zip(out_names(method), outs, strict=True)))
    return out


def define(method: Any) -> None:
    """Register the operator that returns new tensors, with all its entries."""
    name = name_of(method)
    count = len(method.mode.partials)
    tensors = ", ".join(f"Tensor {operand}" for operand in method.operands)
    results = ", ".join(["Tensor"] * count)
    LIBRARY.define(f"{name}({tensors}) -> {results if count == 1 else f'({results})'}")
    operator = OPERATORS[method.name] = getattr(torch.ops.gpu_sigmoid, name).default

    def fake(*tensors: Tensor) -> Any:
        results = results_like(method, tensors, count)
        return results if count > 1 else results[0]

    for key, computation in computations(method).items():
        LIBRARY.impl(name, unpacked(computation.new), key)
    torch.library.register_fake(f"gpu_sigmoid::{name}", fake, lib=LIBRARY)
    LIBRARY.impl(name, recorded(method, operator), "Autograd", with_keyset=True)

    def batched(info: Any, dims: tuple, *tensors: Tensor) -> Any:
        return operator(*aligned(tensors, dims)), (0,) * count if count > 1 else 0

    torch.library.register_vmap(f"gpu_sigmoid::{name}", batched, lib=LIBRARY)
    for device in devices_in_float32(method):
        LIBRARY.impl(name, in_float32(operator, f"Autocast{device}"), f"Autocast{device}")


def in_float32(operator: Any, key: str) -> Callable[..., Any]:
    """Return an operator that converts 16-bit operands, and turns autocast off for operators inside."""
    keys = torch._C.DispatchKeySet(getattr(torch._C.DispatchKey, key))

    def converted(*tensors: Tensor) -> Any:
        with torch._C._ExcludeDispatchKeyGuard(keys):
            return operator(*[t.float() if t.dtype.itemsize == 2 else t for t in tensors])

    return converted


def devices_in_float32(method: Any) -> list[str]:
    """Return the devices on which autocast gives the method float32 operands."""
    if method.mode.name not in ("value", "value_and_grad"):
        return []
    return [device for device, names in IN_FLOAT32.items() if method.function.label in names]


def define_out(method: Any) -> None:
    """Register the operator that writes to tensors."""
    name = f"{name_of(method)}.out"
    tensors = ", ".join(f"Tensor {operand}" for operand in method.operands)
    LIBRARY.define(f"{name}({tensors}, *, {places_of(method)}) -> ()")
    operator = OUT_OPERATORS[method.name] = getattr(torch.ops.gpu_sigmoid, name_of(method)).out

    def written(computation: Computation) -> Callable[..., None]:
        def computed(*tensors: Tensor, **outs: Tensor) -> None:
            results = tuple(outs.values())
            check_outs(method, tensors, results)
            check_memory(method, results)
            # calls on inference tensors alone do not pass the code that increments versions
            refuse_inference_tensors(method, results)
            computation.into(tensors, results)

        return computed

    def fake(*tensors: Tensor, **outs: Tensor) -> None:
        check_outs(method, tensors, tuple(outs.values()))

    def functionalized(*tensors: Tensor, **outs: Tensor) -> None:
        results = tuple(outs.values())
        check_outs(method, tensors, results)
        computed = call(method, tensors)
        for target, result in zip(results, computed if len(results) > 1 else (computed,), strict=True):
            target.copy_(result)

    def versioned(keyset: Any, *tensors: Tensor, **outs: Tensor) -> None:
        refuse_inference_tensors(method, tuple(outs.values()))
        operator.redispatch(keyset & torch._C._after_ADInplaceOrView_keyset, *tensors, **outs)
        torch.autograd.graph.increment_version(tuple(outs.values()))

    def unrecorded(keyset: Any, *tensors: Tensor, **outs: Tensor) -> None:
        refuse_gradients(method, (*tensors, *outs.values()))
        refuse_tangents(method, (*tensors, *outs.values()))
        operator.redispatch(keyset & torch._C._after_autograd_keyset, *tensors, **outs)

    def resolved(*tensors: Tensor, **outs: Tensor) -> None:
        # torch's own handling of negated views is for operators that return what they write to
        results = {name: target.resolve_neg() for name, target in outs.items()}
        operator(*[t.resolve_neg() for t in tensors], **results)
        for name, target in outs.items():
            if target.is_neg():
                target.copy_(results[name])

    for key, computation in computations(method).items():
        LIBRARY.impl(name, written(computation), key)
    LIBRARY.impl(name, functionalized, "Functionalize")
    LIBRARY.impl(name, resolved, "Negative")
    torch.library.register_fake(f"gpu_sigmoid::{name}", fake, lib=LIBRARY)
    LIBRARY.impl(name, versioned, "ADInplaceOrView", with_keyset=True)
    LIBRARY.impl(name, unrecorded, "Autograd", with_keyset=True)


def computations(method: Any) -> dict[str, Computation]:
    """Return the functions that compute a method, by the dispatch key of the tensors' device."""
    return {"CPU": OnHost(method), "CUDA": OnCuda(method)}


def unpacked(compute: Callable[[tuple[Tensor, ...]], Any]) -> Callable[..., Any]:
    return lambda *tensors: compute(tensors)


def recorded(method: Any, operator: Any) -> Callable[..., Any]:
    """Return the function that records a method for gradients, if needed, and calls the next level."""
    function = differentiable(method, call)

    def computed(keyset: Any, *tensors: Tensor) -> Any:
        keys = keyset & torch._C._after_autograd_keyset
        enabled, forward_enabled = torch.is_grad_enabled(), torch._C._is_fwd_grad_enabled()

        def below(tensors: tuple[Tensor, ...]) -> Any:
            with torch._C._AutoDispatchBelowAutograd():
                return operator.redispatch(keys, *tensors)

        def next_level(tensors: tuple[Tensor, ...]) -> Any:
            # the next level of a transform records this for itself
            with torch.set_grad_enabled(enabled), forward_ad._set_fwd_grad_enabled(forward_enabled):
                return below(tensors)

        with_tangents = forward_enabled and any([is_dual(t) for t in tensors])
        if with_tangents or (enabled and any([t.requires_grad for t in tensors])):
            with enable_single_level_autograd_function():
                return function(next_level, with_tangents, *tensors)
        return below(tensors)

    return computed


def is_dual(tensor: Tensor) -> bool:
    # not through torch.autograd.forward_ad: compiled programs enter a level without it
    return torch._VF._unpack_dual(tensor, level=0).tangent is not None


def refuse_gradients(method: Any, tensors: tuple[Tensor, ...]) -> None:
    """Raise an error if a call with out= would have to record something."""
    if torch.is_grad_enabled() and any([t.requires_grad for t in tensors]):
        raise RuntimeError(
            f"{method.label}: out= records nothing for a gradient, but an operand or out requires one: "
            "omit out=, or compute under torch.no_grad()"
        )


def refuse_tangents(method: Any, tensors: tuple[Tensor, ...]) -> None:
    """Raise an error, as torch does, if a call with out= would have to handle tangents."""
    if any([is_dual(t) for t in tensors]):
        raise NotImplementedError(
            f"{method.label}: out= does not support forward mode, but an operand or out has a tangent: "
            "omit out="
        )


def refuse_inference_tensors(method: Any, outs: tuple[Tensor, ...]) -> None:
    """Raise an error, as torch does, since inference tensors have no version counter."""
    if not torch.is_inference_mode_enabled() and any([o.is_inference() for o in outs]):
        raise RuntimeError(
            f"{method.label}: out is an inference tensor, which can be written to only in "
            "torch.inference_mode(): clone() it first"
        )


def name_of(method: Any) -> str:
    return f"{method.function.name}_{method.mode.name}"


def out_names(method: Any) -> list[str]:
    count = len(method.mode.partials)
    return ["out"] if count == 1 else [f"out{i}" for i in range(count)]


def places_of(method: Any) -> str:
    return ", ".join(f"Tensor({chr(ord('a') + i)}!) {name}" for i, name in enumerate(out_names(method)))


for _function in FUNCTIONS.values():
    for _method in _function.methods.values():
        define(_method)
        define_out(_method)
