"""What torch does around a function: hooks, checkpoints, modes, autocast, workers, threads."""

import copy
import pickle
import threading
from typing import Any

import pytest
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from helpers.recorder import Recorder
from torch.utils import checkpoint, data

from gpu_sigmoid.torch import nn

X = torch.linspace(-3, 3, 7, dtype=torch.float64)


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpoints(reentrant: bool) -> None:
    leaf = X.clone().requires_grad_()
    checkpoint.checkpoint(gs.sigmoid, leaf, use_reentrant=reentrant).backward(torch.ones_like(X))
    assert torch.equal(leaf.grad, gs.sigmoid.vjp(X, torch.ones_like(X)))


def test_hooks() -> None:
    packed, seen = [], []
    leaf = X.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: packed.append(t.clone()) or len(packed) - 1, packed.__getitem__
    ):
        y = gs.sigmoid(leaf)
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_hook(lambda *gradients: seen.append(gradients))
    y.backward(torch.ones_like(X))
    assert len(packed) == 1 and len(seen) == 1
    assert torch.equal(leaf.grad, gs.sigmoid.vjp(X, torch.full_like(X, 2.0)))


def test_autocast_as_torchs_functions_have_it() -> None:
    pairs = {
        gs.sigmoid: torch.sigmoid,
        gs.tanh: torch.tanh,
        gs.silu: torch.nn.functional.silu,
        gs.softplus: torch.nn.functional.softplus,
        gs.log_sigmoid: torch.nn.functional.logsigmoid,
    }
    half = X.to(torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for ours, theirs in pairs.items():
            assert ours(half).dtype == theirs(half).dtype
        loss = gs.bce_with_logits(half, half.detach())
        assert loss.dtype == torch.nn.functional.binary_cross_entropy_with_logits(half, half.detach()).dtype
        for options in ({}, {"pos_weight": half.detach()}, {"weight": half.detach()}):
            found = nn.BCEWithLogitsLoss(**options)(half, half.detach())
            assert found.dtype == torch.nn.BCEWithLogitsLoss(**options)(half, half.detach()).dtype
            assert loss.dtype == found.dtype == torch.float32
        assert nn.Softplus(2.0)(half).dtype == torch.nn.Softplus(2.0)(half).dtype
    loss.sum().backward()
    assert half.grad.dtype == torch.bfloat16


class Functions(torch.overrides.TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def __torch_function__(self, function: Any, kinds: Any, given: Any = (), named: Any = None) -> Any:
        self.calls.append(str(function))
        return function(*given, **(named or {}))


def test_modes_and_profilers_see_the_operators() -> None:
    leaf = X.clone().requires_grad_()
    gs.sigmoid(leaf)
    with Recorder() as recorder:
        gs.sigmoid(leaf).sum().backward()
        gs.sigmoid(X, out=torch.empty_like(X))
    for name in ("sigmoid_value.default", "sigmoid_vjp.default", "sigmoid_value.out"):
        assert f"gpu_sigmoid.{name}" in recorder.calls
    with Functions() as functions:
        gs.sigmoid(X)
    assert any("gpu_sigmoid.sigmoid_value" in call for call in functions.calls)
    gs.glu.packed(X[:6])
    with torch.profiler.profile() as profile:
        gs.sigmoid(X)
        gs.glu.packed(X[:6])
    seen = {event.key for event in profile.key_averages()}
    assert {"gpu_sigmoid::sigmoid_value", "gpu_sigmoid::glu_value"} <= seen


def test_nothing_is_recorded_within_another_operators_kernel() -> None:
    leaf = X[:6].clone().requires_grad_()
    with torch._C._AutoDispatchBelowAutograd():
        results = [f(leaf).requires_grad for f in (torch.sigmoid, gs.sigmoid, gs.glu.packed)]
    assert results == [False] * 3
    assert gs.sigmoid(leaf).requires_grad and gs.glu.packed(leaf).requires_grad


class Kind(torch.Tensor):
    """A subclass with torch's own behaviour."""


def test_subclasses() -> None:
    assert type(gs.sigmoid(X.as_subclass(Kind))) is type(torch.sigmoid(X.as_subclass(Kind)))
    assert torch.equal(
        gs.bce_with_logits(X, X.as_subclass(Kind)).as_subclass(torch.Tensor), gs.bce_with_logits(X, X)
    )


def test_denormals_flushed_by_torch_are_not_by_ours() -> None:
    leaf = torch.tensor([-95.0], requires_grad=True)
    torch.set_flush_denormal(True)
    try:
        y = gs.sigmoid(leaf)
        y.backward()
    finally:
        torch.set_flush_denormal(False)
    assert y.item() == gs.sigmoid(leaf.detach()).item() > 0
    assert leaf.grad.item() == gs.sigmoid.grad(leaf.detach()).item() > 0


class Samples(data.Dataset):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, i: int) -> Any:
        return gs.sigmoid(torch.full((3,), float(i)))


def test_loaders_workers() -> None:
    gs.sigmoid(X)
    found = torch.cat(list(data.DataLoader(Samples(), batch_size=2, num_workers=2)))
    assert torch.equal(found, gs.sigmoid(torch.arange(8.0).reshape(8, 1).expand(8, 3)))


def test_threads() -> None:
    found = []

    def work() -> None:
        leaf = X.clone().requires_grad_()
        gs.silu(leaf).backward(torch.ones_like(X))
        found.append(torch.equal(leaf.grad, gs.silu.vjp(X, torch.ones_like(X))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8


@pytest.mark.parametrize("name", nn.__all__)
def test_modules_are_copied_and_pickled(name: str) -> None:
    module = getattr(nn, name)()
    # gated units take two halves
    even = X[:6]
    given = (even, even) if name == "BCEWithLogitsLoss" else (even,)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(other(*given), module(*given))
