"""Tensors in the memory of a GPU, by torch with CUDA: bits, gradients, streams, graphs."""

from typing import Any

import numpy as np
import pytest
from helpers.calls import bits, sample
from helpers.methods import as_tuple
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

torch = library("torch")
if not torch.cuda.is_available():
    pytest.skip("torch finds no GPU", allow_module_level=True)

TYPES = {name: getattr(torch, name) for name in ("float16", "bfloat16", "float32", "float64")}


def tensors(method: Any, dtype: str, count: int = 1003) -> list[Any]:
    """Return operands in the host's memory."""
    return [torch.from_numpy(a).to(TYPES[dtype]) for a in sample(method, np.float64, count)]


def same(got: Any, want: Any) -> None:
    """Assert that tensors on a GPU have the bits of tensors on the host."""
    for g, w in zip(as_tuple(got), as_tuple(want), strict=True):
        assert g.is_cuda
        assert g.dtype == w.dtype
        # float64 holds every number of the other dtypes, and NumPy has no bfloat16
        assert bits(g.detach().cpu().double().numpy()) == bits(w.detach().double().numpy())


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", gs.FUNCTIONS)
def test_the_cpus_bits(name: str, dtype: str) -> None:
    for mode in PUBLIC:
        method = gs.FUNCTIONS[name].methods[mode]
        hosts = tensors(method, dtype)
        there = [t.cuda() for t in hosts]
        want = method(*hosts)
        same(method(*there), want)
        same(method(*(t[1:] for t in there)), tuple(w[1:] for w in as_tuple(want)))
        outs = tuple(torch.empty_like(there[0]) for _ in as_tuple(want))
        method(*there, out=outs if len(outs) > 1 else outs[0])
        same(outs, want)


@pytest.mark.parametrize("name", gs.FUNCTIONS)
def test_two_derivatives(name: str) -> None:
    function = gs.FUNCTIONS[name]
    hosts = tensors(function, "float32")
    found = []
    for device in ("cpu", "cuda"):
        leaves = [t.to(device).requires_grad_() for t in hosts]
        first = torch.autograd.grad(function(*leaves).sum(), leaves, create_graph=True)
        found.append((*first, *torch.autograd.grad(sum(g.square().sum() for g in first), leaves)))
    same(found[1], found[0])


def test_parameters() -> None:
    (x,) = tensors(gs.silu, "float32")
    for beta in (1.5, torch.linspace(0.5, 3, x.numel())):
        on_gpu = beta.cuda() if isinstance(beta, torch.Tensor) else beta
        same(gs.silu(x.cuda(), beta=on_gpu), gs.silu(x, beta=beta))
        same(gs.softplus.grad(x.cuda(), beta=on_gpu), gs.softplus.grad(x, beta=beta))


def test_compiled() -> None:
    x, g = tensors(gs.silu.vjp, "float32")
    compiled = torch.compile(lambda x, g: gs.silu.vjp(x, g) + gs.sigmoid(x), fullgraph=True)
    same(compiled(x.cuda(), g.cuda()), gs.silu.vjp(x, g) + gs.sigmoid(x))


def test_the_current_stream_orders_the_work() -> None:
    size = 1 << 24
    x = torch.zeros(size, device="cuda")
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        torch.cuda._sleep(50_000_000)
        x += 1
        y = gs.sigmoid(x)
    stream.synchronize()
    assert bool((y == float(gs.sigmoid(np.float32(1)))).all())


def test_a_graph_replays_on_new_numbers() -> None:
    hosts = [tensors(gs.sigmoid, "float32")[0], tensors(gs.silu, "float32")[0].flip(0)]
    x, y = hosts[0].cuda(), torch.empty(1003, device="cuda")
    gs.sigmoid.value_and_grad(x, out=(y, torch.empty_like(y)))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        ds = torch.empty_like(y)
        gs.sigmoid.value_and_grad(x, out=(y, ds))
    for host in hosts:
        x.copy_(host)
        graph.replay()
        same((y, ds), gs.sigmoid.value_and_grad(host))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("function", [gs.glu, gs.swiglu], ids=str)
def test_halves_of_one_tensor(function: Any, dtype: str) -> None:
    # rows at multiples of 16 bytes, and rows that are not
    for columns in (48, 37):
        x = torch.linspace(-9, 9, 33 * 2 * columns, dtype=torch.float64).reshape(33, -1).to(TYPES[dtype])
        g = torch.linspace(0.5, 2, 33 * columns, dtype=torch.float64).reshape(33, -1).to(TYPES[dtype])
        found = []
        for device in ("cpu", "cuda"):
            leaf = x.to(device).requires_grad_()
            value = function.packed(leaf)
            found.append((value, *torch.autograd.grad(value, leaf, g.to(device))))
        same(found[1], found[0])
