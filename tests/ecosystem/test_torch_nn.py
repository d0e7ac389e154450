"""Modules in the place of torch.nn's, and what they change for a network that saturates."""

import inspect
from typing import Any

import pytest
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from helpers.recorder import Recorder

from gpu_sigmoid.torch import nn


@pytest.mark.parametrize("name", ["Sigmoid", "LogSigmoid", "Softplus", "SiLU", "Tanh", "BCEWithLogitsLoss"])
def test_signatures_state_and_names_are_torchs(name: str) -> None:
    ours, theirs = getattr(nn, name), getattr(torch.nn, name)
    mine = inspect.signature(ours).parameters
    assert {n: p.default for n, p in mine.items()} == {
        n: p.default for n, p in inspect.signature(theirs).parameters.items()
    }
    assert issubclass(ours, theirs)
    assert repr(ours()) == repr(theirs())
    ours().load_state_dict(theirs().state_dict())


def test_softplus_has_no_threshold() -> None:
    with pytest.raises(ValueError, match="has no threshold"):
        nn.Softplus(threshold=5)
    assert nn.Softplus()(torch.tensor([25.0], dtype=torch.float64)) > 25.0


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_the_steepness_of_softplus_is_trained(beta: float) -> None:
    x = torch.linspace(-3, 3, 9)
    steepness = torch.nn.Parameter(torch.tensor(beta))
    module = nn.Softplus(beta=steepness)
    assert list(module.parameters()) == [steepness]
    module(x).sum().backward()
    other = steepness.detach().requires_grad_()
    (torch.log1p(torch.exp(other * x)) / other).sum().backward()
    torch.testing.assert_close(steepness.grad, other.grad)
    assert torch.equal(nn.Softplus(beta=torch.full((9,), beta))(x), gs.softplus(x, beta=beta))


def test_silu_in_place() -> None:
    x = torch.linspace(-3, 3, 9)
    want = torch.nn.functional.silu(x)
    assert nn.SiLU(inplace=True)(x) is x
    torch.testing.assert_close(x, want)
    leaf = torch.linspace(-3, 3, 9, requires_grad=True)
    nn.SiLU(inplace=True)(leaf * 1).sum().backward()
    other = leaf.detach().clone().requires_grad_()
    torch.nn.functional.silu(other).sum().backward()
    torch.testing.assert_close(leaf.grad, other.grad)


def test_silu_in_place_makes_what_a_gradient_needs_and_no_more() -> None:
    silu, leaf = nn.SiLU(inplace=True), torch.linspace(-3, 3, 9, dtype=torch.float64).requires_grad_()
    written = "gpu_sigmoid.silu_value.out"
    for recorded, made in ((False, []), (True, ["aten.clone.default"])):
        x = leaf * 1 if recorded else leaf.detach().clone()
        with Recorder() as recorder:
            silu(x)
        assert [name for name in recorder.calls if "alias" not in name] == [*made, written]
    first, second = (f(leaf * 1) for f in (silu, nn.SiLU()))
    for order in range(2):
        first, second = (torch.autograd.grad(y.sum(), leaf, create_graph=True)[0] for y in (first, second))
        assert torch.equal(first, second), order
    # a view, whose base is told
    base, other = leaf * 1, leaf * 1
    silu(base[::2])
    other[::2] = nn.SiLU()(other[::2].clone())
    assert torch.equal(base, other)
    assert torch.equal(*(torch.autograd.grad((y * y).sum(), leaf)[0] for y in (base, other)))
    # what a transform does not wrap, beside what it does
    added = torch.vmap(lambda y: y + silu(leaf * 1))(torch.zeros(2, 9, dtype=torch.float64))
    assert torch.equal(added, torch.stack([nn.SiLU()(leaf)] * 2))


def saturated(module: Any) -> Any:
    """Return a deep network whose hidden units all start far on the flat side of the sigmoid."""
    torch.manual_seed(0)
    layers = []
    for fan_in in (2, 8, 8):
        layer = torch.nn.Linear(fan_in, 8)
        torch.nn.init.constant_(layer.bias, 20.0)
        layers += [layer, module()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(8, 1))


def trained(module: Any, optimiser: Any, steps: int = 600, **options: Any) -> tuple[float, float, float]:
    """Return the share of gradients that are exactly 0 at the start, and the loss before and after."""
    model, loss = saturated(module), torch.nn.BCEWithLogitsLoss()
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(1))
    t = (x[:, :1] * x[:, 1:] > 0).float()
    steering = optimiser(model.parameters(), **options)
    zeros, losses = 0.0, []
    for step in range(steps):
        steering.zero_grad()
        value = loss(model(x), t)
        value.backward()
        losses.append(value.item())
        if step == 0:
            hidden = [p.grad for p in list(model.parameters())[:-2]]
            zeros = sum((g == 0).sum().item() for g in hidden) / sum(g.numel() for g in hidden)
        steering.step()
    return zeros, losses[0], losses[-1]


def test_gradients_that_vanish_in_torch_still_train_a_deep_network() -> None:
    """Ours are not 0, but they are tiny: what they are worth depends on the optimiser.

    One that goes by their sign or their relative size uses them. Plain gradient descent
    moves by their absolute size, and gains nothing.
    """
    figures = {
        (kind, optimiser.__name__): trained(of.Sigmoid, optimiser, **options)
        for kind, of in (("torch", torch.nn), ("gpu_sigmoid", nn))
        for optimiser, options in ((torch.optim.Rprop, {"lr": 0.1}), (torch.optim.SGD, {"lr": 0.1}))
    }
    for (kind, optimiser), (zeros, before, after) in figures.items():
        print(f"{kind:12} {optimiser:6} gradients exactly 0: {zeros:5.0%}  loss {before:.4f} -> {after:.4f}")
    assert figures["torch", "Rprop"][0] == 1.0
    assert figures["gpu_sigmoid", "Rprop"][0] == 0.0
    # with nothing but the last layer to move, the loss of a constant is the best there is
    constant = figures["torch", "Rprop"][2]
    assert figures["gpu_sigmoid", "Rprop"][2] < constant - 0.1
    assert figures["gpu_sigmoid", "SGD"][2] == pytest.approx(figures["torch", "SGD"][2], rel=1e-3)
