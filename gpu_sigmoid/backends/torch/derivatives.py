"""Derivatives of the operators, forward and in reverse, by operators again.

They are the formulas' derivatives with respect to each differentiable operand, targets included. The
derivative of a value is `vjp`, in one pass; that of a first derivative uses the second derivatives. A third
derivative is an error, not a silent zero.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gpu_sigmoid.modes import Partial

Call = Callable[[Any, tuple[Tensor, ...]], Any]
"""A differentiable computation of a method on tensors."""


def differentiable(method: Any, call: Call) -> Callable[..., Any]:
    """Return a method as a function that torch records.

    Its arguments are the function that computes the results from the tensors, whether tangents count,
    and the tensors.
    """

    rules = rules_of(method)

    def forward(ctx: Any, compute: Callable[..., Any], with_tangents: bool, *tensors: Tensor) -> Any:
        ctx.save_for_backward(*tensors)
        if with_tangents:
            ctx.save_for_forward(*tensors)
        # a result without a cotangent has None, not an array of zeros
        ctx.set_materialize_grads(False)
        return compute(tensors)

    def backward(ctx: Any, *cotangents: Any) -> Any:
        found = gradients(rules, ctx.saved_tensors, cotangents, ctx.needs_input_grad[2:], call)
        return None, None, *found

    def jvp(ctx: Any, _: None, __: None, *tangents: Any) -> Any:
        # Torch turns forward mode off here. That would hold for an outer level of a transform too, whose
        # derivative of this one must not become 0. This level is finished.
        primals = tuple(forward_ad.unpack_dual(t, level=0).primal for t in ctx.saved_tensors)
        with forward_ad._set_fwd_grad_enabled(True):
            return pushed_forward(rules, primals, tangents, call)

    members = {"forward": forward, "backward": backward, "jvp": jvp}
    # Not autograd.Function, which does in Python, before torch's dispatcher, what the dispatcher does for
    # operators: this is called by the dispatcher, or where the dispatcher is not needed.
    base = torch.autograd.function._SingleLevelFunction
    name = f"{method.function.name}_{method.mode.name}"
    kind: Any = type(name, (base,), {rule: staticmethod(of) for rule, of in members.items()})
    return kind.apply


class Rules(NamedTuple):
    """The dependence of a method's results on its operands."""

    function: Any
    weighted: bool
    """Whether the last operand is a cotangent that the results are multiplied by."""
    derivatives: list[list[Any]]
    """For each result and each differentiable operand, the method that computes the derivative."""
    itself: list[Any]
    """For each result of a weighted method, the method that computes the cotangent's factor."""
    together: list[Any]
    """For each result, the method that computes all its derivatives in one pass, or None."""


def rules_of(method: Any) -> Rules:
    function, mode = method.function, method.mode
    operands = range(method.signature.differentiable)
    derivatives = [[derivative_of(function, (*partial, i)) for i in operands] for partial in mode.partials]
    itself = [derivative_of(function, partial) for partial in mode.partials] if mode.weighted else []
    several = function.signature.gradients == method.signature.differentiable > 1
    together = [function.methods["vjp"] if several and not partial else None for partial in mode.partials]
    return Rules(function, mode.weighted, derivatives, itself, together)


def derivative_of(function: Any, partial: Partial) -> Any:
    """Return the method for a partial derivative, None for one of third order."""
    if len(partial) > 2:
        return None
    # first derivatives are multiplied by their weight in one pass
    return function.method_of(partial, weighted=len(partial) == 1)


def gradients(
    rules: Rules, tensors: tuple[Tensor, ...], cotangents: tuple, needed: tuple[bool, ...], call: Call
) -> list[Any]:
    """Return the gradients for the operands of a method that need one, given those of its results."""
    operands, own = (tensors[:-1], tensors[-1]) if rules.weighted else (tensors, None)
    sums: list[Any] = [None] * len(tensors)
    for k, cotangent in enumerate(cotangents):
        if cotangent is None:
            continue
        weight = cotangent if own is None else own * cotangent
        count = len(rules.derivatives[k])
        if rules.together[k] is not None and all(needed[:count]):
            found = call(rules.together[k], (*operands, weight))
            sums[:count] = [plus(total, term) for total, term in zip(sums[:count], found, strict=True)]
            continue
        for i, derivative in enumerate(rules.derivatives[k]):
            if needed[i]:
                sums[i] = plus(sums[i], times(rules, derivative, operands, weight, call))
        if own is not None and needed[-1]:
            sums[-1] = plus(sums[-1], times(rules, rules.itself[k], operands, cotangent, call))
    for i, gradient in enumerate(sums):
        if gradient is not None:
            shape = tensors[i].shape
            if gradient.ndim != len(shape) or gradient.shape != shape:
                sums[i] = gradient.sum_to_size(shape)
    return sums


def pushed_forward(rules: Rules, tensors: tuple[Tensor, ...], tangents: tuple, call: Call) -> Any:
    """Return the tangents of a method's results, given those of its operands, None for a constant."""
    operands, own = (tensors[:-1], tensors[-1]) if rules.weighted else (tensors, None)
    results = []
    for k, derivatives in enumerate(rules.derivatives):
        total: Any = None
        for derivative, tangent in zip(derivatives, tangents, strict=False):
            if tangent is not None:
                weight = tangent if own is None else own * tangent
                total = plus(total, times(rules, derivative, operands, weight, call))
        if own is not None and tangents[-1] is not None:
            total = plus(total, times(rules, rules.itself[k], operands, tangents[-1], call))
        results.append(total)
    return tuple(results) if len(results) > 1 else results[0]


def times(rules: Rules, derivative: Any, operands: tuple[Tensor, ...], weight: Tensor, call: Call) -> Tensor:
    """Return a partial derivative times a weight."""
    if derivative is None:
        raise rules.function.no_third_derivative()
    if derivative.mode.weighted:
        return call(derivative, (*operands, weight))
    return call(derivative, operands) * weight


def plus(total: Any, term: Tensor) -> Tensor:
    return term if total is None else total + term
