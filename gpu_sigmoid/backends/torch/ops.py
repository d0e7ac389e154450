"""Every mode of every function as an operator of torch, `torch.ops.gpu_sigmoid.NAME`.

Derivatives are the formulas' own, by each differentiable operand, a target included: the value's is
`vjp`, one pass; that of a first derivative rests on the second ones. There is no third: asking for it
is an error, and not a silent zero.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gpu_sigmoid.backends.torch.tensors import compute, results_like
from gpu_sigmoid.modes import Partial
from gpu_sigmoid.registry import FUNCTIONS

OPERATORS: dict[Any, Callable[..., Any]] = {}
"""The operators by the method they compute, as torch.library knows them."""

DIFFERENTIABLE: dict[Any, Callable[..., Any]] = {}
"""The same to be called: torch.func's transforms want an autograd.Function around them."""


def define(method: Any) -> None:
    """Register the operator for a method and all that torch is to know of it."""
    name = f"{method.function.label}_{method.mode.name}"
    count = len(method.mode.partials)
    several = count > 1
    returned = f"({', '.join(['Tensor'] * count)})" if several else "Tensor"
    schema = f"({', '.join(f'Tensor {operand}' for operand in method.operands)}) -> {returned}"

    def implementation(*tensors: Tensor) -> Any:
        return compute(method, tensors)

    def fake(*tensors: Tensor) -> Any:
        results = results_like(tensors, count)
        return tuple(results) if several else results[0]

    def batched(info: Any, dims: tuple, *tensors: Tensor) -> Any:
        return apply(method, *align(tensors, dims)), (0,) * count if several else 0

    def remember(ctx: Any, inputs: tuple, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    def backward(ctx: Any, *cotangents: Any) -> Any:
        operands = ctx.saved_tensors
        gradients = gradients_of(method, operands, cotangents)
        return tuple(g.sum_to_size(o.shape) for g, o in zip(gradients, operands, strict=True))

    operator = torch.library.custom_op(f"gpu_sigmoid::{name}", implementation, mutates_args=(), schema=schema)
    operator.register_fake(fake)
    operator.register_vmap(batched)
    operator.register_autograd(backward, setup_context=remember)
    OPERATORS[method] = operator

    rules = {"forward": operator, "setup_context": remember, "backward": backward, "vmap": batched}
    members = {rule: staticmethod(of) for rule, of in rules.items()}
    function_class: Any = type(name, (torch.autograd.Function,), members)
    DIFFERENTIABLE[method] = function_class.apply


def apply(method: Any, *tensors: Tensor) -> Any:
    """Compute a method on tensors, differentiably."""
    # torch.compile differentiates operators itself
    recorded = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
    if recorded and not torch.compiler.is_compiling():
        return DIFFERENTIABLE[method](*tensors)
    return OPERATORS[method](*tensors)


def align(tensors: tuple[Tensor, ...], dims: tuple) -> list[Tensor]:
    """Return tensors with the mapped axis first, and as many axes behind it as broadcasting needs."""
    rank = max(t.ndim - (d is not None) for t, d in zip(tensors, dims, strict=True))
    aligned = []
    for tensor, dim in zip(tensors, dims, strict=True):
        if dim is None:
            aligned.append(tensor)
            continue
        first = tensor.movedim(dim, 0)
        missing = rank + 1 - first.ndim
        aligned.append(first.reshape(first.shape[0], *[1] * missing, *first.shape[1:]))
    return aligned


def gradients_of(method: Any, tensors: tuple, cotangents: tuple) -> list[Tensor]:
    """Return the gradients for all operands of a method, given those of its results."""
    mode, function = method.mode, method.function
    operands, own = (tensors[:-1], tensors[-1]) if mode.weighted else (tensors, None)
    gradients: list[Any] = [None] * len(tensors)

    def add(i: int, term: Tensor) -> None:
        gradients[i] = term if gradients[i] is None else gradients[i] + term

    for partial, cotangent in zip(mode.partials, cotangents, strict=True):
        if cotangent is None:
            continue
        weight = cotangent if own is None else own * cotangent
        for i in range(method.signature.differentiable):
            add(i, weighted(function, (*partial, i), operands, weight))
        if own is not None:
            add(-1, weighted(function, partial, operands, cotangent))
    return [torch.zeros_like(t) if g is None else g for g, t in zip(gradients, tensors, strict=True)]


def weighted(function: Any, partial: Partial, operands: tuple, weight: Tensor) -> Tensor:
    """Return a partial derivative times a weight: first ones in one pass, second ones by a product."""
    if len(partial) > 2:
        raise RuntimeError(
            f"gpu_sigmoid has no third derivative, which that of {function.label}.grad2 would be; "
            "two are offered"
        )
    partial = tuple(sorted(partial))
    if len(partial) == 1:
        return apply(function.method_of(partial, weighted=True), *operands, weight)
    return apply(function.method_of(partial), *operands) * weight


for _function in FUNCTIONS.values():
    for _method in _function.methods.values():
        define(_method)
