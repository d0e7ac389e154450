"""GLU and SwiGLU: modules in the place of torch's, on the halves of an axis."""

from typing import Any

import pytest
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from gpu_sigmoid.torch import nn

functional = torch.nn.functional

MODULES = {
    nn.GLU: lambda x, dim: functional.glu(x, dim),
    nn.SwiGLU: lambda x, dim: (lambda a, b: functional.silu(a) * b)(*x.chunk(2, dim)),
}


@pytest.mark.parametrize("dim", [-1, 0, 1])
@pytest.mark.parametrize("module", MODULES)
def test_values_and_gradients_are_torchs(module: Any, dim: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 6, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    ours, theirs = module(dim)(x), MODULES[module](x, dim)
    torch.testing.assert_close(ours, theirs)
    g = torch.randn_like(ours)
    torch.testing.assert_close(torch.autograd.grad(ours, x, g), torch.autograd.grad(theirs, x, g))
    small = x[:2, :2, :2].detach().requires_grad_()
    assert torch.autograd.gradcheck(module(dim), (small,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(module(dim), (small,))
    compiled = torch.compile(module(dim), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), ours)


@pytest.mark.parametrize("function", [gs.glu, gs.swiglu], ids=str)
def test_the_backward_pass_fills_the_halves_of_one_gradient(
    function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.linspace(-9, 9, 60).reshape(5, 12).requires_grad_()
    a, b = x.detach().chunk(2, 1)
    joined: list[Any] = []
    cat = torch.cat
    monkeypatch.setattr(torch, "cat", lambda *given: joined.append(given) or cat(*given))
    for g in (torch.linspace(0.5, 2, 30).reshape(5, 6), torch.ones(()).expand(5, 6)):
        want = cat(function.vjp(a, b, g), 1)
        (found,) = torch.autograd.grad(function.packed(x), x, g)
        assert torch.equal(found, want) and not found.requires_grad and not joined
        # a gradient that is recorded in its turn is joined
        (again,) = torch.autograd.grad(function.packed(x), x, g, create_graph=True)
        assert torch.equal(again, want) and again.requires_grad and joined
        joined.clear()


LYING = {
    "contiguous": lambda x: x,
    "every other": lambda x: x[::2],
    "transposed": lambda x: x.mT.contiguous().mT,
    "repeated": lambda x: x[:1].expand(4, 4, 6),
}


@pytest.mark.parametrize("lying", LYING)
@pytest.mark.parametrize("axis", [-1, 0, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_halves_that_lie_as_earlier_need_no_views(
    dtype: Any, axis: int, lying: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, packed = torch.Generator().manual_seed(0), gs.swiglu.packed
    halves = type(packed).halves
    for again in (False, True):
        x = LYING[lying](torch.randn(4, 4, 6, generator=generator).to(dtype)).requires_grad_()
        a, b = x.detach().chunk(2, axis)
        value = gs.swiglu(a, b)
        drawn = torch.rand(value.shape, generator=generator).to(dtype)
        for g in (drawn, drawn[:1, :1, :1].expand(value.shape)):
            want = torch.cat(gs.swiglu.vjp(a, b, g), axis)
            monkeypatch.setattr(type(packed), "halves", None if again else halves)
            found = packed(x, axis)
            assert torch.equal(found, value) and found.stride() == value.stride()
            (gradient,) = torch.autograd.grad(found, x, g)
            assert torch.equal(gradient, want) and gradient.stride() == torch.empty_like(x).stride()
            assert torch.equal(packed(x.detach(), axis), value)


def in_dual_numbers(call: Any, x: Any) -> Any:
    with torch.autograd.forward_ad.dual_level():
        return torch.autograd.forward_ad.unpack_dual(call(torch.autograd.forward_ad.make_dual(x, x))).tangent


@pytest.mark.parametrize("function", [gs.glu, gs.swiglu], ids=str)
def test_under_what_else_has_a_say(function: Any) -> None:
    """Transforms, forward mode, tracers: as the function of both halves."""
    generator = torch.Generator().manual_seed(0)
    x, g = (torch.randn(3, 4, n, dtype=torch.float64, generator=generator) for n in (6, 3))

    def vjp_of_halves(x: Any, g: Any) -> Any:
        return torch.cat(function.vjp(*x.chunk(2, -1), g), -1)

    vjp, want = function.packed.vjp, vjp_of_halves(x, g)
    assert torch.equal(torch.vmap(vjp)(x, g), want)
    assert torch.equal(torch.vmap(lambda g: vjp(x[0], g))(g[:1])[0], want[0])
    value, gradient = torch.vmap(function.packed.value_and_grad)(x)
    assert torch.equal(value, function(*x.chunk(2, -1)))
    assert torch.equal(gradient, torch.cat(function.grad(*x.chunk(2, -1)), -1))
    assert torch.equal(torch.func.grad(lambda x: (function.packed(x) * g).sum())(x), want)
    for derivative in (lambda call: torch.func.jvp(call, (x,), (x,))[1], lambda c: in_dual_numbers(c, x)):
        torch.testing.assert_close(
            derivative(lambda x: vjp(x, g)), derivative(lambda x: vjp_of_halves(x, g)), rtol=1e-12, atol=1e-12
        )
    leaf = x.clone().requires_grad_()
    (batch,) = torch.autograd.grad(
        function.packed(leaf), leaf, torch.stack([g, 2 * g]), is_grads_batched=True
    )
    assert torch.equal(batch, torch.stack([want, vjp_of_halves(x, 2 * g)]))
    traced = torch.fx.symbolic_trace(lambda x: function.packed(x, axis=0))
    assert torch.equal(traced(x[:2]), function(*x[:2].chunk(2, 0)))
    # of another dtype, gradients are of the one that both are promoted to
    assert torch.equal(vjp(x.float(), g), vjp_of_halves(x.float(), g))


@pytest.mark.parametrize("module", MODULES)
def test_tracers_take_the_modules(module: Any) -> None:
    x = torch.linspace(-9, 9, 24).reshape(4, 6)
    assert torch.equal(torch.fx.symbolic_trace(module())(x), module()(x))


@pytest.mark.parametrize("module", MODULES)
def test_errors_are_torchs(module: Any) -> None:
    for shape, dim in (((4, 3), -1), ((), -1), ((4, 4), 2)):
        with pytest.raises((RuntimeError, IndexError)) as theirs:
            functional.glu(torch.zeros(shape), dim)
        with pytest.raises(theirs.type) as ours:
            module(dim)(torch.zeros(shape))
        assert str(ours.value) == str(theirs.value)


def test_signatures_and_names() -> None:
    assert isinstance(nn.GLU(), torch.nn.GLU) and nn.GLU(1).dim == 1
    assert repr(nn.SwiGLU(0)) == "SwiGLU(dim=0)" and repr(nn.GLU(0)) == repr(torch.nn.GLU(0))
    x = torch.linspace(-9, 9, 12).reshape(2, 6)
    assert torch.equal(nn.SwiGLU()(x), gs.swiglu.packed(x)) and torch.equal(nn.GLU()(x), gs.glu.packed(x))
