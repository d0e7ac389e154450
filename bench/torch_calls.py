"""`python -m bench torch`: a call of a torch tensor beside one of torch's own operator.

Small calls measure the library's steps in Python, large ones the kernels and the memory. The fastest of
many turns counts, since other processes can only add time, and a turn is shorter than the system's time
slice.
"""

import os
from collections.abc import Callable
from timeit import timeit
from typing import Any

import click

import gpu_sigmoid as gs
from gpu_sigmoid import machine

Call = Callable[[], Any]

SMALL, LARGE = 1000, 1 << 20
TURNS = {SMALL: (400, 20), LARGE: (150, 1)}
"""How many turns, of how many calls, by the number of elements."""


@click.command("torch")
@click.option("--turns", type=click.IntRange(1), help="Timings of each call. Default: some hundreds.")
def torch_calls(turns: int | None) -> None:
    """Time calls on torch tensors beside torch's own, on one thread, and print a Markdown page."""
    import torch

    before = gs.get_num_threads(), torch.get_num_threads()
    gs.set_num_threads(1)
    torch.set_num_threads(1)
    found = ", ".join(f"{name} {v}" for name, v in machine.versions((*machine.ON_CPU, "torch")).items())
    load = f"{os.getloadavg()[0]:.0f} processes on {os.cpu_count()} processors"
    click.echo(f"# Calls through torch\n\n{machine.cpu()}, {load}. {found}; {machine.today()}.\n")
    click.echo(
        "One thread, float32: the fastest of many turns, in which the two alternate.\n`backward` includes "
        "the forward pass.\n\n    python -m bench torch\n"
    )
    click.echo("| call | elements | us | torch's, us | ratio |\n|---|---:|---:|---:|---:|")
    try:
        for size in TURNS:
            for name, pair in calls(size).items():
                ours, theirs = quickest(pair, turns or TURNS[size][0], TURNS[size][1])
                click.echo(f"| {name} | {size:,} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |")
    finally:
        gs.set_num_threads(before[0])
        torch.set_num_threads(before[1])


def quickest(pair: tuple[Call, Call], turns: int, count: int) -> list[float]:
    """Return the fewest microseconds of each of two calls, in alternating turns."""
    rounds = [[settled(call, count) for call in pair] for _ in range(turns)]
    return [min(seconds) / count * 1e6 for seconds in zip(*rounds, strict=True)]


def settled(call: Call, count: int) -> float:
    # once before, to refill the caches after the other call
    call()
    return timeit(call, number=count)


def calls(size: int) -> dict[str, tuple[Call, Call]]:
    """Return our call and torch's, by name."""
    import torch

    from gpu_sigmoid.torch import nn

    functional = torch.nn.functional
    generator = torch.Generator().manual_seed(0)
    x, g, t = (torch.rand(size, generator=generator) for _ in range(3))

    def swiglu(x: Any) -> Any:
        a, b = x.chunk(2)
        return functional.silu(a) * b

    functions: dict[str, tuple[Any, Any]] = {
        "sigmoid(x)": (gs.sigmoid, torch.sigmoid),
        "silu(x)": (gs.silu, functional.silu),
        "softplus(x)": (gs.softplus, functional.softplus),
        "tanh(x)": (gs.tanh, torch.tanh),
        "Sigmoid()(x)": (nn.Sigmoid(), torch.nn.Sigmoid()),
        "SiLU()(x)": (nn.SiLU(), torch.nn.SiLU()),
        "GLU()(x)": (nn.GLU(), torch.nn.GLU()),
        "SwiGLU()(x)": (nn.SwiGLU(), swiglu),
    }

    loss, torchs_loss = nn.BCEWithLogitsLoss(), torch.nn.BCEWithLogitsLoss()
    in_place, torchs_in_place = nn.SiLU(inplace=True), torch.nn.SiLU(inplace=True)
    zeros = torch.zeros(size)
    found: dict[str, tuple[Call, Call]] = {
        "`BCEWithLogitsLoss()(x, t)`": (lambda: loss(x, t), lambda: torchs_loss(x, t)),
        "`SiLU(inplace=True)(x)`": (lambda: in_place(zeros), lambda: torchs_in_place(zeros)),
    }
    for name, pair in functions.items():
        cotangent = g[: len(pair[1](x))]
        forward, backward, of_a_sum = zip(*(of(function, x, cotangent) for function in pair), strict=True)
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
