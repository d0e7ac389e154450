"""`python -m bench torch`: a call of a torch tensor beside one of torch's own operator."""

from collections.abc import Callable
from typing import Any

import click

import gpu_sigmoid as gs
from bench.calls import Pairs, page_of, rounds_option
from bench.clock import Call

SIZES = (1000, 1 << 20)
ROWS = 4
"""Of the operand of a gated unit, which halves its last axis."""


@click.command("torch")
@rounds_option
def torch_calls(rounds: int) -> None:
    """Time calls on torch tensors beside torch's own functions.

    It runs on one thread and prints a Markdown page. `backward` includes the forward pass.
    """
    page_of("torch", SIZES, calls, rounds)


def calls(size: int) -> Pairs:
    """Return our call and torch's, by name."""
    import torch

    from gpu_sigmoid.torch import nn

    torch.set_num_threads(1)
    functional = torch.nn.functional
    generator = torch.Generator().manual_seed(0)
    x, g, t = (torch.rand(size, generator=generator) for _ in range(3))
    rows = x.view(ROWS, -1)

    def swiglu(x: Any) -> Any:
        a, b = x.chunk(2, -1)
        return functional.silu(a) * b

    elementwise: dict[str, tuple[Any, Any]] = {
        "sigmoid(x)": (gs.sigmoid, torch.sigmoid),
        "silu(x)": (gs.silu, functional.silu),
        "softplus(x)": (gs.softplus, functional.softplus),
        "tanh(x)": (gs.tanh, torch.tanh),
        "Sigmoid()(x)": (nn.Sigmoid(), torch.nn.Sigmoid()),
        "SiLU()(x)": (nn.SiLU(), torch.nn.SiLU()),
    }
    gated: dict[str, tuple[Any, Any]] = {
        f"GLU()(x.view({ROWS}, -1))": (nn.GLU(), torch.nn.GLU()),
        f"SwiGLU()(x.view({ROWS}, -1))": (nn.SwiGLU(), swiglu),
    }

    loss, torchs_loss = nn.BCEWithLogitsLoss(), torch.nn.BCEWithLogitsLoss()
    in_place, torchs_in_place = nn.SiLU(inplace=True), torch.nn.SiLU(inplace=True)
    zeros = torch.zeros(size)
    found: Pairs = {
        "`BCEWithLogitsLoss()(x, t)`": (lambda: loss(x, t), lambda: torchs_loss(x, t)),
        "`SiLU(inplace=True)(x)`": (lambda: in_place(zeros), lambda: torchs_in_place(zeros)),
    }
    for name, pair in (elementwise | gated).items():
        of_x = rows if name in gated else x
        result = pair[1](of_x)
        cotangent = g[: result.numel()].view_as(result)
        forward, backward, of_a_sum = zip(*(of(function, of_x, cotangent) for function in pair), strict=True)
        found |= {f"`{name}`": forward, f"`{name}.backward(g)`": backward}
        found[f"`{name}.sum().backward()`"] = of_a_sum
    found["`BCEWithLogitsLoss()(x, t).backward()`"] = (
        of(lambda x: loss(x, t), x, None)[1],
        of(lambda x: torchs_loss(x, t), x, None)[1],
    )
    return found


def of(function: Any, x: Any, g: Any) -> tuple[Call, Call, Call]:
    """Return a function's call, and those with a gradient by `g`, and by a sum."""
    leaf = x.clone().requires_grad_()

    def step(result: Callable[[], Any], *cotangent: Any) -> None:
        leaf.grad = None
        result().backward(*cotangent)

    return (
        lambda: function(x),
        lambda: step(lambda: function(leaf), g),
        lambda: step(lambda: function(leaf).sum()),
    )
