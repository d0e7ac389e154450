"""Two operands in the halves of one array, and gradients in those of another."""

import pickle
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, bits, expected, laid
from helpers.floats import DTYPES

import gpu_sigmoid as gs

PACKED = [f for f in gs.FUNCTIONS.values() if f.signature.gradients > 1]
SHAPES = [((6, 16), -1), ((6, 16), 0), ((4, 6, 10), 1), ((14,), 0), ((3, 0), -1), ((5, 34), 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", PACKED, ids=str)
def test_packed(function: Any, dtype: str, shape: tuple, backend: Backend) -> None:
    shape, axis = shape
    rng = np.random.default_rng(0)
    host = rng.normal(scale=3, size=shape).astype(DTYPES[dtype])
    a, b = np.split(host, 2, axis)
    cotangent = rng.normal(size=a.shape).astype(DTYPES[dtype])
    x, g = laid(backend, host), laid(backend, cotangent)
    (value,) = expected(function, a, b)
    _, *gradients = expected(function.methods["value_and_grad"], a, b)
    gradient = np.concatenate(gradients, axis)
    product = np.concatenate(expected(function.vjp, a, b, cotangent), axis)

    assert_results(backend, function.packed(x, axis), (value,))
    assert_results(backend, function.packed.value_and_grad(x, axis), (value, gradient))
    assert_results(backend, function.packed.vjp(x, g, axis), (product,))
    new, like = laid(backend, np.zeros_like(a)), laid(backend, np.zeros_like(host))
    assert function.packed(x, axis, out=new) is new
    assert_results(backend, new, (value,))
    for out in ((new, like), (None, like), (new, None)):
        got = function.packed.value_and_grad(x, axis, out=out)
        assert all(y is o for y, o in zip(got, out, strict=True) if o is not None)
        assert_results(backend, got, (value, gradient))
    assert function.packed.vjp(x, g, axis, out=like) is like
    assert_results(backend, like, (product,))
    # in the array's own place
    assert function.packed.vjp(x, g, axis, out=x) is x
    assert bits(backend.to_host(x)) == bits(product)


def test_gradients_have_the_dtype_of_the_results(backend: Backend) -> None:
    for dtype, of_cotangent in (("int32", "float32"), ("float32", "float64"), ("float16", "float32")):
        host = np.arange(-6, 6).reshape(2, 6).astype(dtype)
        cotangent = np.arange(6).reshape(2, 3).astype(of_cotangent)
        want = np.concatenate(gs.glu.vjp(host[:, :3], host[:, 3:], cotangent), 1)
        x, g = laid(backend, host), laid(backend, cotangent)
        assert_results(backend, gs.glu.packed.vjp(x, g), (want,))


@pytest.mark.parametrize("function", PACKED, ids=str)
def test_what_cannot_be_halved_is_refused(function: Any, backend: Backend) -> None:
    x = laid(backend, np.zeros((4, 7), np.float32))
    with pytest.raises(ValueError, match=r"axis -1 cannot be halved, since its length is odd: \(4, 7\)"):
        function.packed(x)
    with pytest.raises(ValueError, match="has no axis 2"):
        function.packed(x, 2)
    with pytest.raises(ValueError, match=r"out has shape \(4, 7\), the gradient has \(4, 6\)"):
        function.packed.vjp(laid(backend, np.zeros((4, 6), np.float32)), x, out=x)
    for axis in (None, 0.0, x):
        with pytest.raises(TypeError, match="axis must be an integer, not"):
            function.packed(x, axis)
    with pytest.raises(TypeError, match="out must be an array for the gradient, not list"):
        function.packed.vjp(laid(backend, np.zeros((4, 6), np.float32)), x, out=[x])
    with pytest.raises(TypeError, match="takes an array of NumPy"):
        function.packed([1.0, 2.0])
    with pytest.raises(
        TypeError, match=rf"^{function.packed.label}: .* is not accepted; accepted are arrays of"
    ):
        function.packed(object())
    with pytest.raises(TypeError, match=r"out must be a tuple \(value, gradient\)"):
        function.packed.value_and_grad(laid(backend, np.zeros((4, 6))), out=x)
    for call, name in (
        (function.packed, "packed"),
        (function.packed.value_and_grad, "packed.value_and_grad"),
        (lambda x, **unknown: function.packed.vjp(x, x, **unknown), "packed.vjp"),
    ):
        with pytest.raises(
            TypeError,
            match=rf"^{function.label}\.{name} got an .* argument 'dim': it accepts only axis and out$",
        ):
            call(x, dim=0)
    assert pickle.loads(pickle.dumps(function.packed)) is function.packed


@pytest.mark.parametrize("function", PACKED, ids=str)
def test_errors_name_the_function_of_halves(function: Any, backend: Backend) -> None:
    x, wrong = (laid(backend, np.zeros(n, np.float32)) for n in (8, 3))
    refused = laid(backend, np.zeros(8, np.complex64))
    packed = function.packed
    for call, name in (
        (lambda: packed(refused), "packed"),
        (lambda: packed(x, out=wrong), "packed"),
        (lambda: packed.value_and_grad(refused), "packed.*"),
        (lambda: packed.value_and_grad(x, out=(wrong, None)), "packed.value_and_grad"),
        (lambda: packed.vjp(x, wrong), "packed.vjp"),
        (lambda: packed.vjp(x, object()), "packed.*"),
    ):
        with pytest.raises((TypeError, ValueError), match=rf"^{function.label}\.{name}: "):
            call()
