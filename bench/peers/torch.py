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
    "logit": torch.logit,
}


def sigmoid_backward(g: Any, x: Any, s: Any, out: Any) -> None:
    aten.sigmoid_backward.grad_input(g, s, grad_input=out)


def softplus_backward(g: Any, x: Any, y: Any, out: Any) -> None:
    aten.softplus_backward.grad_input(g, x, 1.0, 20.0, grad_input=out)


def silu_backward(g: Any, x: Any, y: Any, out: Any) -> None:
    aten.silu_backward.grad_input(g, x, grad_input=out)


def logit_backward(g: Any, x: Any, y: Any, out: Any) -> None:
    aten.logit_backward.grad_input(g, x, None, grad_input=out)


# the gradient of sigmoid is taken of its value, the others' of the input
BACKWARD = {
    "sigmoid": (sigmoid_backward, True),
    "softplus": (softplus_backward, False),
    "silu": (silu_backward, False),
    "logit": (logit_backward, False),
}


def set_threads(n: int) -> None:
    torch.set_num_threads(n)


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    tensors, results = [tensor(a, case) for a in inputs], [tensor(a, case) for a in outs]
    if case.mode == "value":
        return forward(case, tensors, results)
    if case.function not in BACKWARD or case.mode not in ("grad", "value_and_grad"):
        return None
    if case.layout == "new":
        return None
    x, ones = tensors[0], torch.ones_like(tensors[0])
    backward, of_value = BACKWARD[case.function]
    value, target = VALUES[case.function], results[-1]
    scratch = results[0] if case.outputs > 1 else torch.empty_like(target)

    both = case.mode == "value_and_grad"

    def gradient() -> Any:
        if of_value or both:
            value(x, out=scratch)
        backward(ones, x, scratch, target)
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
