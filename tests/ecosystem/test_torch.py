"""Tensors: the array kernels' bits, gradients of both orders, and all of torch's transforms."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.methods import as_tuple, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

torch = library("torch")

FLOATS = {"float16": "float16", "float32": "float32", "float64": "float64"}
OPERATORS = [(name, part) for name in gs.FUNCTIONS for part in PUBLIC]


def arrays(function: Any, name: str, dtype: str = "float64", shape: tuple = (3, 4)) -> tuple[np.ndarray, ...]:
    low, high = (0.01, 0.99) if function is gs.logit else (-20.0, 20.0)
    return operands(function, name, np.linspace(low, high, int(np.prod(shape))).reshape(shape).astype(dtype))


def tensors(function: Any, name: str, **options: Any) -> tuple[Any, ...]:
    """Return small float64 operands for numerical differentiation."""
    generator = torch.Generator().manual_seed(0)
    count = len(arrays(function, name))
    drawn = (torch.rand(5, dtype=torch.float64, generator=generator) * 0.8 + 0.1 for _ in range(count))
    return tuple(t.requires_grad_(**options) for t in drawn)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", PUBLIC)
def test_same_bits_as_numpy(function: Any, name: str, dtype: str) -> None:
    given = arrays(function, name, dtype)
    for turn in (lambda a: a, lambda a: a.T, lambda a: a[::2, 1:]):
        got = function.methods[name](*(turn(torch.from_numpy(a)) for a in given))
        want = function.methods[name](*(turn(a) for a in given))
        for y, w in zip(as_tuple(got), as_tuple(want), strict=True):
            assert isinstance(y, torch.Tensor)
            assert y.dtype == getattr(torch, dtype)
            np.testing.assert_array_equal(y.numpy(), w)


@pytest.mark.parametrize("name", PUBLIC)
def test_bfloat16(function: Any, name: str) -> None:
    given = [torch.from_numpy(a).to(torch.bfloat16) for a in arrays(function, name)]
    wide = [t.view(torch.int16).numpy().view(ml_dtypes.bfloat16) for t in given]
    for y, w in zip(
        as_tuple(function.methods[name](*given)), as_tuple(function.methods[name](*wide)), strict=True
    ):
        assert y.dtype == torch.bfloat16
        np.testing.assert_array_equal(y.view(torch.int16).numpy(), w.view(np.int16))


def test_dtypes_follow_torch() -> None:
    assert gs.sigmoid(torch.arange(3)).dtype == torch.float32
    assert gs.sigmoid(torch.tensor([True])).dtype == torch.float32
    half, none = torch.ones(2, dtype=torch.float16), torch.tensor(1.0, dtype=torch.float64)
    assert gs.bce_with_logits(half, none).dtype == torch.float16
    assert gs.bce_with_logits(half, 1.0).dtype == torch.float16
    assert gs.bce_with_logits(torch.arange(2), none).dtype == torch.float64
    assert gs.sigmoid(torch.tensor(0.0)).shape == ()
    assert gs.sigmoid(torch.zeros(0, 3)).shape == (0, 3)


def test_out() -> None:
    x = torch.linspace(-3, 3, 10)
    out = torch.empty(10)
    assert gs.sigmoid(x, out=out) is out
    np.testing.assert_array_equal(out, gs.sigmoid(x.numpy()))
    pair = (torch.empty(10), torch.empty(10))
    assert gs.sigmoid.value_and_grad(x, out=pair) is pair
    np.testing.assert_array_equal(pair[1], gs.sigmoid.grad(x.numpy()))
    want = gs.sigmoid(x.numpy().copy())
    gs.sigmoid(x, out=x)
    np.testing.assert_array_equal(x, want)


def test_refusals() -> None:
    x = torch.ones(3)
    with pytest.raises(TypeError, match="complex64 is not accepted"):
        gs.sigmoid(x.to(torch.complex64))
    with pytest.raises(TypeError, match="cannot be mixed"):
        gs.bce_with_logits(x, np.ones(3))
    with pytest.raises(TypeError, match="to_dense"):
        gs.sigmoid(x.to_sparse())
    with pytest.raises(RuntimeError, match="leave out= away"):
        gs.sigmoid(x.clone().requires_grad_(), out=x)
    with pytest.raises(TypeError, match="out is to be a tensor"):
        gs.sigmoid(x, out=(x, x))
    with pytest.raises(TypeError, match="out is of"):
        gs.sigmoid(x, out=torch.ones(3, dtype=torch.float64))
    with pytest.raises(ValueError, match="out has shape"):
        gs.sigmoid(x, out=torch.ones(4))


@pytest.mark.parametrize("name", PUBLIC)
def test_first_and_second_derivatives(function: Any, name: str) -> None:
    given = tensors(function, name)
    compute = function.methods[name]
    if name == "grad2":
        with pytest.raises(RuntimeError, match="no third derivative"):
            compute(*given).sum().backward()
        return
    assert torch.autograd.gradcheck(compute, given)
    if name == "value":
        assert torch.autograd.gradgradcheck(compute, given)
        assert torch.autograd.gradcheck(compute, (given[0], *(t[:1].requires_grad_() for t in given[1:])))


@pytest.mark.parametrize(("dtype", "edge"), [("float32", 40.0), ("float64", 400.0)])
def test_gradients_in_the_tails_where_torchs_are_zero(dtype: str, edge: float) -> None:
    x = torch.tensor([-edge, edge], dtype=getattr(torch, dtype), requires_grad=True)
    (theirs,) = torch.autograd.grad(torch.sigmoid(x).sum(), x)
    (ours,) = torch.autograd.grad(gs.sigmoid(x).sum(), x)
    assert theirs[1] == 0
    np.testing.assert_array_equal(ours, gs.sigmoid.grad(x.detach().numpy()))
    assert (ours > 0).all()
    (second,) = torch.autograd.grad(
        torch.autograd.grad(gs.sigmoid(x).sum(), x, create_graph=True)[0].sum(), x
    )
    np.testing.assert_array_equal(second, gs.sigmoid.grad2(x.detach().numpy()))


@pytest.mark.parametrize(("name", "part"), OPERATORS)
def test_torchs_own_check_of_operators(name: str, part: str) -> None:
    operator = getattr(torch.ops.gpu_sigmoid, f"{name}_{part}", None)
    if operator is None:
        gs.sigmoid(torch.ones(1))
        operator = getattr(torch.ops.gpu_sigmoid, f"{name}_{part}")
    # its gradients are recorded where there are any: grad2 has none
    given = tensors(gs.FUNCTIONS[name], part, requires_grad=part != "grad2")
    torch.library.opcheck(operator.default, given)
    matrices = tuple(t.detach().expand(3, 5).clone().T for t in given)
    torch.library.opcheck(operator.default, matrices)


def test_transforms_of_functions() -> None:
    x = torch.linspace(-3, 3, 7)
    per_sample = torch.func.vmap(torch.func.grad(gs.silu))(x)
    torch.testing.assert_close(per_sample, gs.silu.grad(x), rtol=0, atol=0)
    second = torch.func.vmap(torch.func.grad(torch.func.grad(gs.silu)))(x)
    torch.testing.assert_close(second, gs.silu.grad2(x), rtol=0, atol=0)
    mapped = torch.func.vmap(gs.bce_with_logits, in_dims=(1, None))(torch.rand(4, 3), torch.rand(4))
    assert mapped.shape == (3, 4)
    pair = torch.func.vmap(gs.sigmoid.value_and_grad)(x.reshape(7, 1))
    torch.testing.assert_close(pair[1], gs.sigmoid.grad(x.reshape(7, 1)), rtol=0, atol=0)
    torch.testing.assert_close(
        torch.func.jacrev(gs.softplus)(x), torch.diag(gs.softplus.grad(x)), rtol=0, atol=0
    )


def test_compiled_in_one_graph() -> None:
    def model(x: Any) -> Any:
        s, ds = gs.sigmoid.value_and_grad(x)
        return (s * gs.softplus(x) + ds + gs.bce_with_logits(x, x.detach() * 0 + 1)).sum()

    x = torch.linspace(-3, 3, 64, dtype=torch.float64, requires_grad=True)
    (eager,) = torch.autograd.grad(model(x), x)
    (compiled,) = torch.autograd.grad(torch.compile(model, fullgraph=True, backend="aot_eager")(x), x)
    torch.testing.assert_close(compiled, eager)


def test_fake_tensors() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        s, ds = gs.sigmoid.value_and_grad(torch.empty(5, 7))
    assert s.shape == ds.shape == (5, 7)


def test_parameters_and_inference_mode() -> None:
    parameter = torch.nn.Parameter(torch.linspace(-1, 1, 5))
    gs.softplus(parameter).sum().backward()
    np.testing.assert_array_equal(parameter.grad, gs.sigmoid(parameter.detach().numpy()))
    with torch.inference_mode():
        assert not gs.sigmoid(parameter).requires_grad


def test_results_that_would_be_written_over_each_other_are_refused() -> None:
    b = torch.empty(10)
    for out in ((b, b), (b, b[:]), (b[:5], b[3:8])):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            gs.sigmoid.value_and_grad(torch.zeros(out[0].shape), out=out)
    value, grad = gs.sigmoid.value_and_grad(torch.zeros(5), out=(b[::2], b[1::2]))
    assert value.tolist() == [0.5] * 5 and grad.tolist() == [0.25] * 5
