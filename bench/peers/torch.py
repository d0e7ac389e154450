"""PyTorch: its forward operators, and with them its backward operators for derivatives."""

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from bench.cases import Case

aten, nn = torch.ops.aten, torch._C._nn

VALUES: dict[str, Callable[..., Any]] = {
    "sigmoid": torch.sigmoid,
    "log_sigmoid": nn.log_sigmoid,
    "softplus": nn.softplus,
    "silu": nn.silu,
    "tanh": torch.tanh,
    "logit": torch.logit,
}


def into(backward: Any, *after: Any) -> Callable[..., Any]:
    """Return a backward operator of (cotangent, input or value, out), with what it takes further."""
    return lambda cotangent, x, out: backward.grad_input(cotangent, x, *after, grad_input=out)


# sigmoid's and tanh's take their value, the others the input; torch's softplus has a slope and a threshold
BACKWARD = {
    "sigmoid": into(aten.sigmoid_backward),
    "softplus": into(aten.softplus_backward, 1.0, 20.0),
    "silu": into(aten.silu_backward),
    "tanh": into(aten.tanh_backward),
    "logit": into(aten.logit_backward, None),
}
OF_VALUE = ("sigmoid", "tanh")
set_threads = torch.set_num_threads


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    # it has no negative strides, and warns of memory that repeats
    if case.layout in ("reversed", "number"):
        return None
    tensors, results = [tensor(a, case) for a in inputs], [tensor(a, case) for a in outs]
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
