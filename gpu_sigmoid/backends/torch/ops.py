"""Every component of every function as an operator of torch, `torch.ops.gpu_sigmoid.NAME`.

Derivatives are the formulas' own: the value's is `vjp`, one pass; that of `vjp`, for a
second derivative, rests on `grad2`. There is no third: asking for it is an error, and
not a silent zero. A target, of functions that take one, is differentiated too.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gpu_sigmoid.backends.torch.tensors import compute, results_like
from gpu_sigmoid.components import COMPONENTS, outputs
from gpu_sigmoid.functions import FUNCTIONS, FunctionOfTarget

OPERATORS: dict[tuple[str, str], Callable[..., Any]] = {}
"""The operators by function and component, as torch.library knows them."""

DIFFERENTIABLE: dict[tuple[str, str], Callable[..., Any]] = {}
"""The same to be called: torch.func's transforms want an autograd.Function around them."""


def define(name: str, component: str) -> None:
    """Register the operator for a component and all that torch is to know of it."""
    function = FUNCTIONS[name]
    pair = outputs(component) > 1
    parameters = ["x"]
    parameters += ["target"] * isinstance(function, FunctionOfTarget) + ["cotangent"] * (component == "vjp")
    schema = f"({', '.join(f'Tensor {p}' for p in parameters)}) -> {'(Tensor, Tensor)' if pair else 'Tensor'}"

    def implementation(*tensors: Tensor) -> Any:
        return compute(function, component, tensors)

    def fake(*tensors: Tensor) -> Any:
        results = results_like(tensors, 1 + pair)
        return tuple(results) if pair else results[0]

    def batched(info: Any, dims: tuple, *tensors: Tensor) -> Any:
        return apply(name, component, *align(tensors, dims)), (0, 0) if pair else 0

    def remember(ctx: Any, inputs: tuple, output: Any) -> None:
        ctx.save_for_backward(*inputs)

    def backward(ctx: Any, *cotangents: Any) -> Any:
        operands = ctx.saved_tensors
        gradients = GRADIENTS[component](name, operands, *cotangents)
        return tuple(g.sum_to_size(o.shape) for g, o in zip(gradients, operands, strict=True))

    operator = torch.library.custom_op(
        f"gpu_sigmoid::{name}_{component}", implementation, mutates_args=(), schema=schema
    )
    operator.register_fake(fake)
    operator.register_vmap(batched)
    operator.register_autograd(backward, setup_context=remember)
    OPERATORS[name, component] = operator

    rules = {"forward": operator, "setup_context": remember, "backward": backward, "vmap": batched}
    members = {rule: staticmethod(of) for rule, of in rules.items()}
    function_class: Any = type(f"{name}_{component}", (torch.autograd.Function,), members)
    DIFFERENTIABLE[name, component] = function_class.apply


def apply(name: str, component: str, *tensors: Tensor) -> Any:
    """Return a component of tensors, differentiably."""
    # torch.compile differentiates operators itself
    recorded = torch.is_grad_enabled() and any(t.requires_grad for t in tensors)
    if recorded and not torch.compiler.is_compiling():
        return DIFFERENTIABLE[name, component](*tensors)
    return OPERATORS[name, component](*tensors)


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


def of_value(name: str, operands: tuple, g: Tensor) -> list:
    x, *target = operands
    return [apply(name, "vjp", *operands, g), *(-x * g for _ in target)]


def of_grad(name: str, operands: tuple, g: Tensor) -> list:
    _, *target = operands
    return [apply(name, "grad2", *operands) * g, *(-g for _ in target)]


def of_grad2(name: str, operands: tuple, g: Tensor) -> list:
    raise RuntimeError(
        f"gpu_sigmoid has no third derivative, which that of {name}.grad2 would be; two are offered"
    )


def of_both(name: str, operands: tuple, g: Any, g_of_grad: Any) -> list:
    parts = [of(name, operands, c) for of, c in ((of_value, g), (of_grad, g_of_grad)) if c is not None]
    return [sum(terms) for terms in zip(*parts, strict=True)]


def of_vjp(name: str, operands: tuple, g: Tensor) -> list:
    *arguments, cotangent = operands
    bend = apply(name, "grad2", *arguments)
    return [
        bend * cotangent * g,
        *(-cotangent * g for _ in arguments[1:]),
        apply(name, "vjp", *arguments, g),
    ]


GRADIENTS: dict[str, Callable[..., list]] = {
    "value": of_value,
    "grad": of_grad,
    "grad2": of_grad2,
    "value_and_grad": of_both,
    "vjp": of_vjp,
}
"""By component: the gradients for all operands, of the operands and the result's cotangents.

The one function of a target is linear in it, with the slope -x: see its docstring."""

for _name in FUNCTIONS:
    for _component in COMPONENTS:
        define(_name, _component)
