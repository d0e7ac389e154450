"""Derivatives of tensors: in reverse, forward, of both orders, under all of torch.func's transforms."""

import copy
from typing import Any

import pytest
from helpers.methods import by_first, side
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from torch import func
from torch.autograd import forward_ad, gradcheck, gradgradcheck

from gpu_sigmoid.backends.torch.operators import OPERATORS, OUT_OPERATORS, out_names
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.torch import nn

METHODS = [method for function in FUNCTIONS.values() for method in function.methods.values()]
X = torch.linspace(0.1, 0.9, 7, dtype=torch.float64)
T = torch.linspace(-1.0, 2.0, 7, dtype=torch.float64)


def label(method: Any) -> str:
    return method.label


def tensors(method: Any, **options: Any) -> tuple[Any, ...]:
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.rand(3, dtype=torch.float64, generator=generator) * 0.8 + 0.1 for _ in method.operands]
    drawn[0] *= side(method.function)
    return tuple(t.requires_grad_(**options) for t in drawn)


def order(method: Any) -> int:
    return max(map(len, method.mode.partials))


@pytest.mark.parametrize("method", METHODS, ids=label)
def test_derivatives(method: Any) -> None:
    """By every operand, a target and a cotangent included."""
    given = tensors(method)
    if order(method) < 2:
        assert gradcheck(
            OPERATORS[method.name],
            given,
            check_forward_ad=True,
            check_batched_grad=True,
            check_batched_forward_grad=True,
        )
    if order(method) < 1:
        assert gradgradcheck(
            OPERATORS[method.name],
            given,
            check_fwd_over_rev=True,
            check_rev_over_rev=True,
            check_batched_grad=True,
        )


@pytest.mark.parametrize("method", METHODS, ids=label)
def test_torchs_own_check_of_operators(method: Any) -> None:
    # gradients are checked where there are any: second derivatives have none
    given = tensors(method, requires_grad=order(method) < 2)
    torch.library.opcheck(OPERATORS[method.name], given)
    matrices = tuple(t.detach().expand(5, 3).clone().T for t in given)
    torch.library.opcheck(OPERATORS[method.name], matrices)
    outs = {name: torch.empty_like(matrices[0]) for name in out_names(method)}
    torch.library.opcheck(OUT_OPERATORS[method.name], matrices, outs)


def test_a_third_derivative_is_an_error(function: Any) -> None:
    given = [t.detach() for t in tensors(function)]
    leaf = given[0].clone().requires_grad_()
    with pytest.raises(NotImplementedError, match="no third derivative"):
        by_first(function.grad2(leaf, *given[1:])).sum().backward()
    with pytest.raises(NotImplementedError, match="no third derivative"):
        func.jvp(lambda x: by_first(function.grad2(x, *given[1:])), (given[0],), (given[0],))


@pytest.mark.parametrize("name", ["sigmoid", "silu", "softplus", "logit"])
def test_transforms(name: str) -> None:
    """The bits are those of the derivatives, by whichever way."""
    f = FUNCTIONS[name]

    def total(x: Any) -> Any:
        return f(x).sum()

    first, second = f.grad(X), f.grad2(X)
    same = {
        "vmap(grad)": (func.vmap(func.grad(f))(X), f.vjp(X, torch.ones_like(X))),
        "grad(vmap)": (func.grad(lambda x: func.vmap(f)(x).sum())(X), f.vjp(X, torch.ones_like(X))),
        "vjp": (func.vjp(f, X)[1](T)[0], f.vjp(X, T)),
        "jvp": (func.jvp(f, (X,), (T,))[1], f.vjp(X, T)),
        "linearize": (func.linearize(f, X)[1](T), f.vjp(X, T)),
    }
    close = {
        "jacrev": (func.jacrev(f)(X), torch.diag(first)),
        "jacfwd": (func.jacfwd(f)(X), torch.diag(first)),
        "hessian": (func.hessian(total)(X), torch.diag(second)),
        "vmap(grad(grad))": (func.vmap(func.grad(func.grad(f)))(X), second),
        "reverse over reverse": (func.jacrev(func.jacrev(total))(X), torch.diag(second)),
        "reverse over forward": (func.jacrev(func.jacfwd(total))(X), torch.diag(second)),
        "forward over forward": (func.jacfwd(func.jacfwd(total))(X), torch.diag(second)),
    }
    for label, (got, want) in same.items():
        assert torch.equal(got, want), label
    for label, (got, want) in close.items():
        torch.testing.assert_close(got, want, msg=lambda text, label=label: f"{label}: {text}")


def test_dual_tensors_through_every_result() -> None:
    with forward_ad.dual_level():
        value, grad = gs.silu.value_and_grad(forward_ad.make_dual(X, T))
        assert torch.equal(forward_ad.unpack_dual(value).tangent, gs.silu.vjp(X, T))
        assert torch.equal(forward_ad.unpack_dual(grad).tangent, gs.silu.grad2(X) * T)
        loss = gs.bce_with_logits(X, forward_ad.make_dual(X, T))
        assert torch.equal(forward_ad.unpack_dual(loss).tangent, -X * T)


def test_vmap() -> None:
    mapped = func.vmap(gs.bce_with_logits, in_dims=(1, None))(torch.rand(4, 3), torch.rand(4))
    assert mapped.shape == (3, 4)
    pair = func.vmap(gs.sigmoid.value_and_grad)(X.reshape(7, 1))
    assert torch.equal(pair[1], gs.sigmoid.grad(X.reshape(7, 1)))
    leaf = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(func.vmap(gs.sigmoid)(leaf), leaf, T)
    assert torch.equal(gradient, gs.sigmoid.vjp(X, T))
    with pytest.raises(RuntimeError, match="out="):
        func.vmap(lambda x: torch.sigmoid(x, out=torch.empty_like(x)))(X)
    with pytest.raises(RuntimeError, match="out="):
        func.vmap(lambda x: gs.sigmoid(x, out=torch.empty_like(x)))(X)


def test_an_ensemble_trains() -> None:
    layers = [torch.nn.Sequential(torch.nn.Linear(3, 4), nn.SiLU(), torch.nn.Linear(4, 1)) for _ in range(3)]
    parameters, buffers = func.stack_module_state(layers)
    base = copy.deepcopy(layers[0]).to("meta")
    x = torch.rand(5, 3)

    def apply(parameters: Any, buffers: Any) -> Any:
        return func.functional_call(base, (parameters, buffers), (x,))

    y = func.vmap(apply)(parameters, buffers)
    y.sum().backward()
    for i, layer in enumerate(layers):
        layer(x).sum().backward()
        torch.testing.assert_close(y[i], layer(x))
        for name, parameter in layer.named_parameters():
            torch.testing.assert_close(parameters[name].grad[i], parameter.grad)


def test_modules_in_place_under_transforms() -> None:
    silu = nn.SiLU(inplace=True)
    assert torch.equal(func.vmap(silu)(X.clone()), gs.silu(X))
    assert torch.equal(func.jvp(lambda x: silu(x * 1), (X,), (T,))[1], gs.silu.vjp(X, T))
    ones = torch.ones_like(X)
    assert torch.equal(func.grad(lambda x: silu(x * 1).sum())(X), gs.silu.vjp(X, ones))
    # an outer level alone needs a gradient
    plain = nn.SiLU()
    leaf = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(func.vmap(lambda x: silu(x * 1))(leaf).sum(), leaf)
    assert torch.equal(gradient, gs.silu.vjp(X, ones))
    programs: list[Any] = [
        lambda m: func.grad(lambda x: func.vmap(lambda r: m(r * 1))(x).sum()),
        lambda m: func.grad(lambda a: func.jvp(lambda z: m(z * a), (ones,), (T,))[1].sum()),
        lambda m: func.grad(lambda a: func.grad(lambda z: (m(a * 1) * z).sum())(ones).sum()),
    ]
    for program in programs:
        assert torch.equal(program(silu)(X), program(plain)(X))


@pytest.mark.parametrize("size", [7, 1 << 17])
def test_a_broadcast_cotangent_gives_the_bits_of_a_full_one(function: Any, size: int) -> None:
    given = [torch.linspace(0.05, 0.95, size) for _ in function.operands]
    given[0] *= side(function)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        leaf, *others = [t.to(dtype) for t in given]
        leaf.requires_grad_()
        for shape in ((size,), (-1, 7) if size == 7 else (256, 512)):
            y = function(leaf.reshape(shape), *(o.reshape(shape) for o in others))
            one = torch.tensor(1.5, dtype=dtype).expand(y.shape)
            (spread,) = torch.autograd.grad(y, leaf, one, retain_graph=True)
            (full,) = torch.autograd.grad(y, leaf, one.contiguous())
            assert torch.equal(spread, full)


@pytest.mark.parametrize("name", ["glu", "swiglu"])
def test_gradients_by_both_operands_are_one_pass(name: str) -> None:
    f = FUNCTIONS[name]
    a, b, g = (t.detach() for t in tensors(f.vjp))
    leaves = a.clone().requires_grad_(), b.clone().requires_grad_()
    by_both = torch.autograd.grad(f(*leaves), leaves, g)
    for got, want in zip(by_both, f.vjp(a, b, g), strict=True):
        assert torch.equal(got, want)
    # a gradient by one alone, which is another kernel's, has the same bits
    for i, want in enumerate(by_both):
        given = [leaf if k == i else leaf.detach() for k, leaf in enumerate(leaves)]
        (alone,) = torch.autograd.grad(f(*given), leaves[i], g)
        assert torch.equal(alone, want)
    # broadcast operands get sums
    row = b[:1].clone().requires_grad_()
    (by_row,) = torch.autograd.grad(f(a, row), row, g)
    assert by_row.shape == row.shape
