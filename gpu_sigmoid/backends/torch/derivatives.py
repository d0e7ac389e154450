"""Derivatives of the operators, forward and in reverse, by operators again.

They are the formulas' own, by each differentiable operand, a target included: the value's is `vjp`,
one pass; that of a first derivative rests on the second ones. There is no third: asking for it is an
error, and not a silent zero.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gpu_sigmoid.modes import Partial

Call = Callable[[Any, tuple[Tensor, ...]], Any]
"""Computes a method on tensors, differentiably."""


def differentiable(method: Any, call: Call) -> Callable[..., Any]:
    """Return a method as a function that torch records.

    It takes what computes the results from the tensors, whether their tangents count, and the
    tensors.
    """

    def forward(ctx: Any, compute: Callable[..., Any], with_tangents: bool, *tensors: Tensor) -> Any:
        ctx.save_for_backward(*tensors)
        if with_tangents:
            ctx.save_for_forward(*tensors)
        # a result without a cotangent has None, not an array of zeros
        ctx.set_materialize_grads(False)
        return compute(tensors)

    def backward(ctx: Any, *cotangents: Any) -> Any:
        found = gradients(method, ctx.saved_tensors, cotangents, ctx.needs_input_grad[2:], call)
        return None, None, *found

    def jvp(ctx: Any, _: None, __: None, *tangents: Any) -> Any:
        # Torch turns forward mode off here, and so it would be for an outer level of a transform, whose
        # derivative of this one is not to be 0. This level has had its turn.
        primals = tuple(forward_ad.unpack_dual(t, level=0).primal for t in ctx.saved_tensors)
        with forward_ad._set_fwd_grad_enabled(True):
            return pushed_forward(method, primals, tangents, call)

    members = {"forward": forward, "backward": backward, "jvp": jvp}
    # Not autograd.Function, which does in Python, before torch's dispatcher, what operators have it do:
    # this is called by the dispatcher, or where it has nothing to do.
    base = torch.autograd.function._SingleLevelFunction
    name = f"{method.function.label}_{method.mode.name}"
    kind: Any = type(name, (base,), {rule: staticmethod(of) for rule, of in members.items()})
    return kind.apply


def gradients(
    method: Any, tensors: tuple[Tensor, ...], cotangents: tuple, needed: tuple[bool, ...], call: Call
) -> tuple:
    """Return the gradients for the operands of a method that need one, given those of its results."""
    mode, function = method.mode, method.function
    operands, own = (tensors[:-1], tensors[-1]) if mode.weighted else (tensors, None)
    sums: list[Any] = [None] * len(tensors)
    for partial, cotangent in zip(mode.partials, cotangents, strict=True):
        if cotangent is None:
            continue
        weight = cotangent if own is None else own * cotangent
        for i in range(method.signature.differentiable):
            if needed[i]:
                sums[i] = plus(sums[i], weighted(function, (*partial, i), operands, weight, call))
        if own is not None and needed[-1]:
            sums[-1] = plus(sums[-1], weighted(function, partial, operands, cotangent, call))
    for i, gradient in enumerate(sums):
        shape = tensors[i].shape
        if gradient is not None and (gradient.ndim != len(shape) or gradient.shape != shape):
            sums[i] = gradient.sum_to_size(shape)
    return tuple(sums)


def pushed_forward(method: Any, tensors: tuple[Tensor, ...], tangents: tuple, call: Call) -> Any:
    """Return the tangents of a method's results, given those of its operands, None for a constant."""
    mode, function = method.mode, method.function
    operands, own = (tensors[:-1], tensors[-1]) if mode.weighted else (tensors, None)
    results = []
    for partial in mode.partials:
        total: Any = None
        for i, tangent in enumerate(tangents[: method.signature.differentiable]):
            if tangent is not None:
                weight = tangent if own is None else own * tangent
                total = plus(total, weighted(function, (*partial, i), operands, weight, call))
        if own is not None and tangents[-1] is not None:
            total = plus(total, weighted(function, partial, operands, tangents[-1], call))
        results.append(total)
    return tuple(results) if len(results) > 1 else results[0]


def plus(total: Any, term: Tensor) -> Tensor:
    return term if total is None else total + term


def weighted(
    function: Any, partial: Partial, operands: tuple[Tensor, ...], weight: Tensor, call: Call
) -> Tensor:
    """Return a partial derivative times a weight: first ones in one pass, second ones by a product."""
    if len(partial) > 2:
        raise RuntimeError(
            f"gpu_sigmoid has no third derivative, which that of {function.label}.grad2 would be; "
            "two are offered"
        )
    partial = tuple(sorted(partial))
    if len(partial) == 1:
        return call(method_of(function, partial, True), (*operands, weight))
    return call(method_of(function, partial, False), operands) * weight


@cache
def method_of(function: Any, partial: Partial, weighted: bool) -> Any:
    return function.method_of(partial, weighted)
