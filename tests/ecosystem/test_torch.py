"""Tensors: the array kernels' bits and their gradients."""

import warnings
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.methods import as_tuple, interval, operands, side, single_results
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

torch = library("torch")

from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.backends.torch.host import OnHost

FLOATS = ["float16", "float32", "float64"]


def arrays(function: Any, name: str, dtype: str = "float64", shape: tuple = (3, 4)) -> tuple[np.ndarray, ...]:
    low, high = interval(function)
    return operands(function, name, np.linspace(low, high, int(np.prod(shape))).reshape(shape).astype(dtype))


def tensors(function: Any, name: str, **options: Any) -> tuple[Any, ...]:
    """Return small float64 operands for numerical differentiation."""
    generator = torch.Generator().manual_seed(0)
    count = len(arrays(function, name))
    drawn = (torch.rand(5, dtype=torch.float64, generator=generator) * 0.8 + 0.1 for _ in range(count))
    x, *more = drawn
    return tuple(t.requires_grad_(**options) for t in (side(function) * x, *more))


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


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")
def test_refusals() -> None:
    x = torch.ones(3)
    with pytest.raises(TypeError, match=r"complex64 is not accepted; .* integers \(computed in the default"):
        gs.sigmoid(x.to(torch.complex64))
    with warnings.catch_warnings(action="ignore"):
        quantized = torch.quantize_per_tensor(x, 0.5, 0, torch.qint8)
    with pytest.raises(TypeError, match="cannot be mixed"):
        gs.bce_with_logits(x, np.ones(3))
    # scalars that torch would not count for the common dtype
    for other in (torch.tensor(1 + 2j), np.complex64(1 + 2j), np.datetime64(1, "s"), np.str_("1")):
        for given in (x, torch.arange(3), torch.tensor(1.0)):
            with pytest.raises(TypeError, match="is not accepted; accepted are float16, bfloat16, float32"):
                gs.bce_with_logits(given, other)
    for other in (np.float64(0.5), ml_dtypes.bfloat16(0.5), np.float16(0.5)):
        assert torch.equal(gs.bce_with_logits(x, other), gs.bce_with_logits(x, 0.5))
    nested = [
        torch.nested.nested_tensor([x, x[:2]], layout=layout) for layout in (torch.strided, torch.jagged)
    ]
    for refused, message in (
        (quantized, r"torch\.qint8 tensors are not supported: use dequantize\(\)"),
        (x.to_sparse(), r"torch\.sparse_coo tensors are not supported: use to_dense\(\)"),
        *((tensor, r"nested tensors are not supported: use values\(\)") for tensor in nested),
    ):
        for call in (
            lambda t: gs.sigmoid(t),
            lambda t: gs.sigmoid(x, out=t),
            lambda t: gs.glu(x, t),
            lambda t: gs.glu.packed(t),
            lambda t: gs.glu.packed.value_and_grad(t),
            lambda t: gs.glu.packed.vjp(t, x),
        ):
            with pytest.raises(TypeError, match=message):
                call(refused)
    with pytest.raises(RuntimeError, match="omit out="):
        gs.sigmoid(x.clone().requires_grad_(), out=x)
    with pytest.raises(TypeError, match="out must be a tensor"):
        gs.sigmoid(x, out=(x, x))
    with pytest.raises(TypeError, match=r"out is \("):
        gs.sigmoid(x, out=torch.ones(3, dtype=torch.float64))
    with pytest.raises(ValueError, match="out has shape"):
        gs.sigmoid(x, out=torch.ones(4))


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "grad2"])
def test_first_and_second_derivatives(function: Any, name: str) -> None:
    given = tensors(function, name)
    compute = function.methods[name]
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


def test_parameters_and_inference_mode() -> None:
    parameter = torch.nn.Parameter(torch.linspace(-1, 1, 5))
    gs.softplus(parameter).sum().backward()
    np.testing.assert_array_equal(parameter.grad, gs.sigmoid(parameter.detach().numpy()))
    with torch.inference_mode():
        assert not gs.sigmoid(parameter).requires_grad


@pytest.mark.parametrize("dtype", [*FLOATS, "bfloat16"])
def test_layouts_of_a_small_call(function: Any, dtype: str) -> None:
    """Contiguous tensors, one number for all elements, off the multiples of an element's size, and others."""
    method = single_results(function.vjp)[0]
    kind = getattr(torch, dtype)
    x, *others = [torch.linspace(0.1, 0.9, 30, dtype=torch.float64).to(kind) for _ in method.operands]
    x = side(function) * x
    raw = torch.zeros(x.nbytes + 1, dtype=torch.uint8).numpy()
    raw[1:] = x.view(torch.uint8).numpy()
    askew = torch.frombuffer(raw, dtype=kind, offset=1)
    assert askew.data_ptr() % kind.itemsize == 1
    shape, half = (5, 6), x[15].clone()
    want = method(x, *others)
    assert torch.equal(method(askew, *others), want)
    turned = [t.reshape(shape).T.contiguous().T for t in (x, *others)]
    assert torch.equal(method(*turned), want.reshape(shape))
    full, rows = half.repeat(shape), x[:6].expand(shape)
    whole = [t.reshape(shape) for t in (x, *others[:-1])]
    for cotangent in (half, half.expand(shape), full):
        assert torch.equal(method(*whole, cotangent), method(*whole, full))
    assert torch.equal(method(*whole, rows), method(*whole, rows.contiguous()))
    # of as many elements, and not of the same shape
    column, row = x[:6].reshape(6, 1), x[6:12].reshape(1, 6)
    wide = [column.expand(6, 6).contiguous() for _ in others] + [row.expand(6, 6).contiguous()]
    assert torch.equal(method(*[column] * len(others), row), method(*wide))


def test_a_call_that_lies_like_an_earlier_one_has_new_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a wider tensor, columns, an operand that broadcasts, in one layout with other numbers."""
    generator = torch.Generator().manual_seed(0)

    def drawn() -> tuple[Any, ...]:
        whole = torch.rand(3, 8, 10, generator=generator)
        return whole[0, :, :5], whole[1, :, 5:], whole[2].view(10, 8).T[:, :5], whole[0, 0, 5:]

    layouts = [(0, 1), (0, 0), (2, 1), (2, 2), (0, 3), (3, 2)]
    earlier = [gs.swiglu(drawn()[i], drawn()[k]) for i, k in layouts]
    monkeypatch.setattr(OnHost, "into", None)
    for (i, k), before in zip(layouts, earlier, strict=True):
        tensors, copy = drawn(), before.clone()
        found = gs.swiglu(tensors[i], tensors[k])
        a, b = (t.numpy() for t in torch.broadcast_tensors(tensors[i], tensors[k]))
        np.testing.assert_array_equal(found.numpy(), gs.swiglu(a, b))
        assert found.stride() == before.stride() and torch.equal(before, copy)


def test_numbers_go_the_short_way_too(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.linspace(-3, 3, 6, requires_grad=True)
    want = [gs.silu(x, beta=torch.tensor(beta)) for beta in (1.5, 2.0)]
    monkeypatch.setattr(direct, "dispatched", None)
    monkeypatch.setattr("gpu_sigmoid.backends.torch.dispatched", None)
    for beta, value in zip((1.5, 2), want, strict=True):
        found = gs.silu(x, beta=beta)
        assert torch.equal(found, value)
        assert torch.equal(*(torch.autograd.grad(y.sum(), x)[0] for y in (found, value)))


@pytest.mark.parametrize("method", [gs.swiglu, gs.glu.value_and_grad], ids=str)
def test_shapes_that_do_not_fit_are_named_in_torchs_class_of_error(method: Any) -> None:
    words = rf"^{method.label}: operands of shapes \(5,\), \(3,\) do not broadcast together"
    for _ in range(2):
        with pytest.raises(RuntimeError, match=words):
            method(torch.ones(5), torch.ones(3))
        method(torch.ones(5), torch.ones(5))
