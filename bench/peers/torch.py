"""PyTorch: its forward operators, and with them its backward operators for derivatives.

Functions without an operator are composed as a user would do it, in several passes over memory.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from bench.cases import Case
from bench.peers import OF_VALUE

aten, nn = torch.ops.aten, torch._C._nn

VALUES: dict[str, Callable[..., Any]] = {
    "sigmoid": torch.sigmoid,
    "log_sigmoid": nn.log_sigmoid,
    "softplus": nn.softplus,
    "silu": nn.silu,
    "tanh": torch.tanh,
    "logit": torch.logit,
    "log1mexp": lambda x, out=None: torch.log1p(torch.exp(x, out=out).neg_(), out=out),
    "softplus_inverse": lambda x, out=None: torch.log(torch.expm1(x, out=out), out=out),
}


def into(backward: Any, *after: Any) -> Callable[..., Any]:
    """Return a backward operator of (cotangent, input or value, out) with its other arguments."""
    return lambda cotangent, x, out: backward.grad_input(cotangent, x, *after, grad_input=out)


# sigmoid's and tanh's take their value, the others the input; torch's softplus has a slope and a threshold
BACKWARD = {
    "sigmoid": into(aten.sigmoid_backward),
    "softplus": into(aten.softplus_backward, 1.0, 20.0),
    "silu": into(aten.silu_backward),
    "tanh": into(aten.tanh_backward),
    "logit": into(aten.logit_backward, None),
}
GATES = {"glu": 1, "swiglu": 0}
"""The operand of a gated unit whose sigmoid or silu multiplies the other one."""
set_threads = torch.set_num_threads


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    # it has no negative strides, and warns about repeated memory
    if case.layout in ("reversed", "number"):
        return None
    if case.layout == "packed" and case.function == "glu":
        return of_halves(case, inputs, outs)
    tensors, results = [tensor(a, case) for a in inputs], [tensor(a, case) for a in outs]
    if case.function in GATES:
        return gated(case, tensors, results)
    if case.mode == "value":
        return forward(case, tensors, results)
    backward, both = BACKWARD.get(case.function), case.mode == "value_and_grad"
    if backward is None or case.layout == "new" or not (both or case.mode == "grad"):
        return None
    x, ones = tensors[0], torch.ones_like(tensors[0])
    of_value, value, target = case.function in OF_VALUE, VALUES[case.function], results[-1]
    scratch = results[0] if both else torch.empty_like(target)

    def gradient() -> Any:
        if of_value or both:
            value(x, out=scratch)
        backward(ones, scratch if of_value else x, target)
        return (scratch, target) if both else target

    return gradient


def gated(case: Case, tensors: list, results: list) -> Callable[[], Any] | None:
    """Return a gated unit of torch's operators: two, and three in its backward pass.

    The backward pass uses the factor that the forward pass saved.
    """
    gate, other = GATES[case.function], 1 - GATES[case.function]
    name = "sigmoid" if case.function == "glu" else "silu"
    function, backward = VALUES[name], BACKWARD[name]
    x, y = tensors[gate], tensors[other]
    if case.layout == "new":
        return (lambda: function(x) * y) if case.mode == "value" else None
    first, by = results[0], results[-2:]
    factor, scratch = (torch.empty_like(t, memory_format=torch.contiguous_format) for t in (x, x))
    saved = function(x)

    def value() -> Any:
        return torch.mul(function(x, out=factor), y, out=first)

    def derivatives() -> Any:
        # torch's rule for a product saves the factor, which is the other operand's derivative
        function(x, out=by[other])
        if case.mode == "value_and_grad":
            torch.mul(by[other], y, out=first)
        backward(y, by[other] if name in OF_VALUE else x, by[gate])
        return tuple(results)

    def vjp() -> Any:
        torch.mul(tensors[2], saved, out=by[other])
        torch.mul(tensors[2], y, out=scratch)
        backward(scratch, saved if name in OF_VALUE else x, by[gate])
        return tuple(results)

    return {"value": value, "grad": derivatives, "value_and_grad": derivatives, "vjp": vjp}.get(case.mode)


def of_halves(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    """Return torch's own operators for the halves of one array."""
    x, first = tensor(inputs[0].base, case), tensor(outs[0], case)
    if case.mode == "value":
        return lambda: nn.glu(x, -1, out=first)
    if case.mode not in ("value_and_grad", "vjp"):
        return None
    gradient, results = tensor(outs[-1].base, case), tuple(tensor(a, case) for a in outs)
    cotangent = torch.ones_like(first) if case.mode == "value_and_grad" else tensor(inputs[2], case)

    def backward() -> Any:
        if case.mode == "value_and_grad":
            nn.glu(x, -1, out=first)
        aten.glu_backward.grad_input(cotangent, x, -1, grad_input=gradient)
        return results

    return backward


def forward(case: Case, tensors: list, results: list) -> Callable[[], Any] | None:
    if case.function == "bce_with_logits":
        logits, target = tensors
        loss = functional.binary_cross_entropy_with_logits
        return lambda: loss(logits, target, reduction="none")
    value, x = VALUES.get(case.function), tensors[0]
    if value is None:
        return None
    if case.layout == "new":
        return lambda: value(x)
    return lambda: value(x, out=results[0])


def tensor(array: Any, case: Case) -> Any:
    """Return the tensor on an array's memory."""
    if case.threads == 0:
        return torch.from_dlpack(array)
    if case.dtype == "bfloat16":
        return torch.from_numpy(array.view("int16")).view(torch.bfloat16)
    return torch.from_numpy(array)
