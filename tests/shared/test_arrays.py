"""Layouts, dtypes, `out=`, overlap, and refusals."""

import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.floats import BFLOAT16, DTYPES
from helpers.methods import as_tuple, operands

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

BASE = np.linspace(0.01, 0.99, 6 * 700)


def layouts(dtype: np.dtype) -> dict[str, np.ndarray]:
    x = BASE.astype(dtype)
    readonly = x.copy()
    readonly.flags.writeable = False
    unaligned = np.zeros(x.nbytes + 1, np.uint8)[1:].view(dtype)
    unaligned[...] = x
    return {
        "empty": x[:0],
        "0-d": x[3].reshape(()),
        "strided": x[::3],
        "reversed": x[::-1],
        "C": x.reshape(6, -1),
        "F": np.asfortranarray(x.reshape(6, -1)),
        "slice": x.reshape(6, -1)[1:4, ::2],
        "broadcast": np.broadcast_to(x[:50], (3, 50)),
        "read-only": readonly,
        "unaligned": unaligned,
    }


@pytest.mark.parametrize("layout", layouts(np.dtype("float32")))
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_layouts_give_the_contiguous_bits(function: Any, name: str, dtype: str, layout: str) -> None:
    x = layouts(DTYPES[dtype])[layout]
    flat = np.array(x, order="C", copy=True).reshape(-1)
    got = function.methods[name](*operands(function, name, x))
    want = function.methods[name](*operands(function, name, flat))
    for y, w in zip(*(as_tuple(r) for r in (got, want)), strict=True):
        assert y.dtype == DTYPES[dtype]
        assert y.shape == x.shape
        assert np.asarray(y).reshape(-1).tobytes() == w.tobytes()
        if layout == "F":
            assert y.flags.f_contiguous


@pytest.mark.parametrize("dtype", DTYPES)
def test_in_place_and_overlap(function: Any, dtype: str, backend: Backend) -> None:
    x = BASE.astype(DTYPES[dtype])
    more = operands(function, "value", x)[1:]
    want = function(x, *more)
    more = tuple(map(backend.to_device, more))
    same = backend.to_device(x.copy())
    assert function(same, *more, out=same) is same
    assert backend.to_host(same).tobytes() == want.tobytes()
    shifted = backend.to_device(np.concatenate([x, x[:1]]))
    function(shifted[:-1], *more, out=shifted[1:])
    assert backend.to_host(shifted)[1:].tobytes() == want.tobytes()
    backwards = backend.to_device(x.copy())
    function(backwards, *more, out=backwards[::-1])
    assert backend.to_host(backwards)[::-1].tobytes() == want.tobytes()


def test_value_and_grad_into_swapped_inputs(backend: Backend) -> None:
    hosts = np.linspace(-5, 5, 1000), np.linspace(0, 1, 1000)
    want = gs.bce_with_logits.value_and_grad(*hosts)
    x, target = (backend.to_device(a.copy()) for a in hosts)
    gs.bce_with_logits.value_and_grad(x, target, out=(target, x))
    assert backend.to_host(target).tobytes() == want[0].tobytes()
    assert backend.to_host(x).tobytes() == want[1].tobytes()


def test_byte_order_memmap_and_subclass(tmp_path: Any) -> None:
    x = BASE.astype(np.float32)
    assert gs.sigmoid(x.astype(">f4")).tobytes() == gs.sigmoid(x).tobytes()
    np.save(tmp_path / "x.npy", x)
    assert gs.sigmoid(np.load(tmp_path / "x.npy", mmap_mode="r")).tobytes() == gs.sigmoid(x).tobytes()
    masked = np.ma.masked_array([0.0, 1.0], mask=[False, True])
    assert gs.sigmoid(masked).mask.tolist() == [False, True]


@pytest.mark.parametrize("x", [True, 3, 0.5, [0.5, 1], range(3), np.arange(3), np.array([True]), np.int8(3)])
def test_numbers_and_integers_give_float64(x: Any) -> None:
    assert gs.sigmoid(x).dtype == np.float64
    np.testing.assert_array_equal(gs.sigmoid(x), gs.sigmoid(np.asarray(x, np.float64)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_target_takes_the_dtype(dtype: str, backend: Backend) -> None:
    x = backend.to_device(np.ones(3, DTYPES[dtype]))
    assert gs.bce_with_logits(x, 0.25).dtype == DTYPES[dtype]


@pytest.mark.parametrize("dtype", [complex, np.longdouble, object, "U3", "M8[s]"])
def test_refused_dtypes(function: Any, dtype: Any) -> None:
    x = np.zeros(2, dtype)
    with pytest.raises(TypeError, match="accepted are float16"):
        function(*operands(function, "value", x)[:1], *(0.5 for _ in operands(function, "value", BASE)[1:]))


@pytest.mark.parametrize("x", [None, "a", {1}, object()])
def test_refused_types(x: Any) -> None:
    with pytest.raises(TypeError, match="sigmoid takes a number"):
        gs.sigmoid(x)


def test_refused_out() -> None:
    x = np.zeros(4, np.float32)
    with pytest.raises(TypeError, match="out has dtype float64"):
        gs.sigmoid(x, out=np.zeros(4))
    with pytest.raises(TypeError, match="NumPy array"):
        gs.sigmoid(x, out=[0.0] * 4)
    with pytest.raises(TypeError, match="tuple of 2"):
        gs.sigmoid.value_and_grad(x, out=x)
    with pytest.raises(ValueError, match="shape"):
        gs.sigmoid(x, out=np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="read-only"):
        gs.sigmoid(x, out=np.broadcast_to(x, (2, 4)))
    bits = np.zeros(4, BFLOAT16)
    assert gs.sigmoid(x.astype(BFLOAT16), out=bits) is bits
    assert (bits == 0.5).all()


def test_objects(function: Any) -> None:
    assert pickle.loads(pickle.dumps(function)) is function
    assert pickle.loads(pickle.dumps(function.grad)) == function.grad
    assert "out" in inspect.signature(function).parameters
    assert "Largest error" in function.__doc__
    assert gs.sigmoid_prime == gs.sigmoid.grad


@pytest.mark.parametrize("size", [5, 2_000_000])
def test_signalling_nans_are_cast_in_silence(size: int) -> None:
    x = np.full(size, 0x7FA00000, np.uint32).view(np.float32)
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(gs.sigmoid.vjp(x, np.ones(size))).all()
