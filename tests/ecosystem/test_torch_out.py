"""What is written to: torch is told of it, and refuses what it would refuse of its own functions."""

import functools
from typing import Any

import numpy as np
import pytest
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from torch.autograd import forward_ad

from gpu_sigmoid.torch import nn

X = torch.linspace(-3, 3, 6, dtype=torch.float64)


@pytest.mark.parametrize("name", ["value", "grad", "value_and_grad"])
def test_versions_move(name: str) -> None:
    method = gs.sigmoid.methods[name]
    outs = tuple(torch.empty_like(X) for _ in method.mode.partials)
    method(X, out=outs if len(outs) > 1 else outs[0])
    assert [o._version for o in outs] == [1] * len(outs)
    assert X._version == 0


def test_a_gradient_of_what_was_overwritten_is_an_error() -> None:
    for write in (lambda b: gs.sigmoid(b, out=b), nn.SiLU(inplace=True)):
        weight, b = torch.ones(3, requires_grad=True), torch.ones(3)
        product = weight * b
        write(b)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            product.sum().backward()
    leaf = torch.ones(3, requires_grad=True)
    hidden = leaf * 1
    y = gs.sigmoid(hidden)
    hidden.detach().mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_refused_as_torch_refuses() -> None:
    leaf, plain = torch.ones(3, requires_grad=True), torch.ones(3)
    with torch.inference_mode():
        made = torch.ones(3)
        gs.sigmoid(plain, out=plain)
        gs.sigmoid(made, out=made)
    calls: dict[str, Any] = {
        "out requires a gradient": lambda f: f(plain, out=leaf),
        "an operand does": lambda f: f(leaf, out=plain),
        "expanded": lambda f: f(plain, out=torch.ones(1).expand(3)),
        "inference tensor": lambda f: f(plain, out=made),
        "inference tensors alone": lambda f: f(made, out=made),
    }
    for what, call in calls.items():
        for function in (torch.sigmoid, gs.sigmoid):
            with pytest.raises(RuntimeError):
                print(what, call(function))
    operator = torch.ops.gpu_sigmoid.sigmoid_value.out
    expanded = torch.ones(1).expand(3)
    for given, out in ((leaf, plain), (plain, leaf), (plain, expanded), (plain, made), (made, made)):
        with pytest.raises(RuntimeError):
            operator(given, out=out)
    for module in (torch.nn.SiLU, nn.SiLU):
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
            module(inplace=True)(leaf)
    with torch.no_grad():
        assert gs.sigmoid(plain, out=leaf) is leaf
    assert leaf[0].item() == gs.sigmoid(plain)[0].item()


def test_overlap_in_part_is_right() -> None:
    for turn in (lambda b: (b[:5], b[1:]), lambda b: (b[1:], b[:5]), lambda b: (b.flip(0)[:3], b[:3])):
        b = X.clone()
        x, out = turn(b)
        want = gs.sigmoid(x.clone())
        gs.sigmoid(x, out=out)
        assert torch.equal(out, want)


@pytest.mark.parametrize("columns", [1, 100])
def test_overlap_in_part_is_right_beside_one_number_for_all(columns: int) -> None:
    base = torch.linspace(-3, 3, 200_000).reshape(-1, columns)
    one, turns = torch.tensor(0.7), ((slice(0, -1), slice(1, None)), (slice(1, None), slice(0, -1)))
    for read, write in turns:
        for cotangent in (one, one.expand(base[read].shape)):
            b = base.clone()
            want = gs.sigmoid.vjp(base[read], cotangent)
            gs.sigmoid.vjp(b[read], cotangent, out=b[write])
            assert torch.equal(b[write], want)
    # the number itself is overwritten
    b = base.clone()
    gs.sigmoid.vjp(base, b[0, 0].expand(base.shape), out=b)
    assert torch.equal(b, gs.sigmoid.vjp(base, base[0, 0].expand(base.shape)))


def test_forward_mode_is_refused() -> None:
    """A tangent would be missing from out, or be one of what it held before."""
    ones = torch.ones(2)

    def to_new(function: Any, x: Any) -> Any:
        return function(x, out=torch.empty_like(x))

    def to_plain(function: Any, x: Any) -> Any:
        return function(x, out=torch.empty(2))

    def to_itself(function: Any, x: Any) -> Any:
        return function(x, out=x)

    def of_a_constant(function: Any, x: Any) -> Any:
        return function(ones, out=x)

    for function in (torch.sigmoid, gs.sigmoid, torch.ops.gpu_sigmoid.sigmoid_value.out):
        for program in (to_new, to_plain, to_itself, of_a_constant):
            run = functools.partial(program, function)
            with pytest.raises(NotImplementedError):
                torch.func.jvp(lambda x, run=run: run(x * 1), (ones,), (ones,))
            with pytest.raises(NotImplementedError):
                torch.func.jacfwd(lambda x, run=run: run(x * 1))(ones)
            # what an outer level alone has a tangent for
            with pytest.raises(NotImplementedError):
                torch.func.jvp(
                    lambda a, run=run: torch.func.jvp(lambda z: run(a * 1) * z, (ones,), (ones,))[1],
                    (ones,),
                    (ones,),
                )
            with forward_ad.dual_level(), pytest.raises(NotImplementedError):
                run(forward_ad.make_dual(ones.clone(), ones))
    with forward_ad.dual_level():
        assert torch.equal(to_new(gs.sigmoid, ones), gs.sigmoid(ones))


def test_negated_and_strided_views() -> None:
    pair = torch.complex(X, X).conj()
    negated = pair.imag
    assert negated.is_neg()
    assert torch.equal(gs.sigmoid(negated), gs.sigmoid(-X))
    assert torch.equal(gs.bce_with_logits(X, negated), gs.bce_with_logits(X, -X))
    gs.sigmoid(X, out=negated)
    assert torch.equal(negated.resolve_neg(), gs.sigmoid(X))
    assert torch.equal(pair.resolve_conj().imag, gs.sigmoid(X))
    wide = torch.zeros(6, 2, dtype=torch.float64)
    gs.sigmoid(X, out=wide[:, 1])
    assert torch.equal(wide[:, 1], gs.sigmoid(X)) and not wide[:, 0].any()


def test_storages_stay_resizable() -> None:
    if np.lib.NumpyVersion(np.__version__) < "2.1.0" or not hasattr(torch._C, "_to_dlpack_versioned"):
        pytest.skip("NumPy or torch is too old to share memory otherwise")
    x = torch.ones(3)
    y = gs.sigmoid(x)
    assert x.resize_(5).shape == y.resize_(5).shape == (5,)


def test_results_that_would_be_written_over_each_other_are_refused() -> None:
    b = torch.empty(10)
    for out in ((b, b), (b, b[:]), (b[:5], b[3:8])):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            gs.sigmoid.value_and_grad(torch.zeros(out[0].shape), out=out)
    value, grad = gs.sigmoid.value_and_grad(torch.zeros(5), out=(b[::2], b[1::2]))
    assert value.tolist() == [0.5] * 5 and grad.tolist() == [0.25] * 5


@pytest.mark.parametrize("place", ["meta", "fake", "functional"])
def test_without_data(place: str) -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    def both(x: Any) -> Any:
        out = torch.empty_like(x)
        gs.sigmoid(x, out=out)
        return out, gs.sigmoid.value_and_grad(x)[1]

    if place == "functional":
        assert torch.equal(torch.func.functionalize(both)(X)[0], gs.sigmoid(X))
        return
    if place == "meta":
        results = both(torch.empty(5, 7, device="meta"))
    else:
        with FakeTensorMode():
            results = both(torch.empty(5, 7))
    assert [r.shape for r in results] == [(5, 7)] * 2
    with pytest.raises(ValueError, match="out has shape"):
        gs.sigmoid(torch.empty(5, device="meta"), out=torch.empty(4, device="meta"))
    for given, out in (("meta", "cpu"), ("cpu", "meta")):
        with pytest.raises(TypeError, match=r"out is \("):
            gs.sigmoid(torch.empty(5, device=given), out=torch.empty(5, device=out))
