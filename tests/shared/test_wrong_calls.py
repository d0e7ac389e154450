"""Calls with too many operands, outputs of another shape, and dtypes that NumPy has no rule for."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.floats import BFLOAT16, DTYPES
from helpers.methods import as_tuple, operands
from helpers.scalars import scalar_method

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_operands_are_counted(function: Any, name: str) -> None:
    of_scalars = scalar_method(function, name)
    arrays = operands(function, name, np.linspace(0.1, 0.9, 5))
    for callable_ in (of_scalars, function.methods[name]):
        untouched = np.full(5, 7.0)
        callable_(*arrays)
        for wrong in ((), arrays[:-1], (*arrays, untouched), (*arrays, untouched, untouched)):
            with pytest.raises(TypeError, match=r"takes|missing"):
                callable_(*wrong)
        assert (untouched == 7.0).all()
    names = ("x", "target") if len(operands(function, "value", arrays[0])) > 1 else ("x",)
    names += ("cotangent",) * (name == "vjp")
    text = rf"{name if name != 'value' else function.__name__}> takes {len(names)} operands? "
    with pytest.raises(TypeError, match=rf"{text}\({', '.join(names)}\), by position, not {len(names) + 1}$"):
        of_scalars(*arrays, arrays[0])


OTHER_SHAPES = [
    ((4,), (2, 4)),
    ((4,), (1, 4)),
    ((4,), (4, 1)),
    ((4,), (3,)),
    ((1,), (4,)),
    ((3, 1), (3, 4)),
    ((3, 4), (4,)),
    ((), (1,)),
    ((), (4,)),
    ((0,), (3, 0)),
    ((0,), (1,)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "other"), OTHER_SHAPES)
def test_out_of_another_shape_is_refused(backend: Backend, shape: tuple, other: tuple, dtype: str) -> None:
    x = backend.to_device(np.full(shape, 0.25, DTYPES[dtype]))
    right, wrong = (backend.to_device(np.full(s, 7, DTYPES[dtype])) for s in (shape, other))
    calls = [
        (gs.sigmoid, (x,), wrong),
        (gs.sigmoid, (x,), (wrong,)),
        (gs.sigmoid.vjp, (x, x), wrong),
        (gs.sigmoid.vjp, (x, 0.5), wrong),
        (gs.bce_with_logits, (0.5, x), wrong),
        (gs.sigmoid.value_and_grad, (x,), (wrong, right)),
        (gs.sigmoid.value_and_grad, (x,), (right, wrong)),
        (gs.sigmoid.value_and_grad, (x,), (None, wrong)),
    ]
    for function, arrays, out in calls:
        # what is compiled takes a shorter way; waited for, lest a result be freed before it is computed
        backend.to_host(as_tuple(function(*arrays))[0])
        with pytest.raises(ValueError) as caught:
            function(*arrays, out=out)
        name = function.label
        assert str(caught.value) == f"{name}: out has shape {other}, the result has {shape}"
        assert (backend.to_host(wrong) == 7).all()


def test_number_into_an_array_is_refused() -> None:
    for number in (0.5, 1, True, np.float64(0.5)):
        with pytest.raises(ValueError, match=r"out has shape \(4,\), the result has \(\)"):
            gs.sigmoid(number, out=np.zeros(4))
    assert gs.sigmoid(0.0, out=np.zeros(())) == 0.5
    with pytest.raises(ValueError, match=r"out has shape \(2, 3\), the result has \(3,\)"):
        gs.sigmoid([0.5, 1.0, 2.0], out=np.zeros((2, 3)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_output_of_two_is_refused(backend: Backend, dtype: str) -> None:
    x, out = (backend.to_device(np.full(4, 7, DTYPES[dtype])) for _ in range(2))
    gs.sigmoid.value_and_grad(x)
    for wrong in (out, (out,), (out, out, out), ()):
        with pytest.raises(TypeError, match="out is to be a tuple of 2 arrays"):
            gs.sigmoid.value_and_grad(x, out=wrong)
    gs.sigmoid(x)
    for wrong in ((out, out), ()):
        with pytest.raises(TypeError, match="out is to be one array"):
            gs.sigmoid(x, out=wrong)
    assert (backend.to_host(out) == 7).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shapes", [((3, 1), (4,)), ((4,), (3, 1)), ((1,), (3, 4)), ((3, 4), ()), ((), (3, 4))]
)
def test_operands_broadcast_into_out(backend: Backend, shapes: tuple, dtype: str) -> None:
    hosts = [np.linspace(0.1, 0.9, int(np.prod(s))).reshape(s).astype(DTYPES[dtype]) for s in shapes]
    full = [np.array(np.broadcast_to(h, (3, 4))) for h in hosts]
    arrays = [backend.to_device(h) for h in hosts]
    for f in (gs.bce_with_logits, gs.sigmoid.vjp, gs.bce_with_logits.value_and_grad):
        want = as_tuple(f(*full))
        for _ in range(2):
            outs = tuple(backend.to_device(np.zeros((3, 4), DTYPES[dtype])) for _ in want)
            result = f(*arrays, out=outs if len(outs) > 1 else outs[0])
            for got, out, w in zip(as_tuple(result), outs, want, strict=True):
                assert got is out
                assert backend.to_host(out).tobytes() == w.tobytes()


INTEGERS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@pytest.mark.parametrize("kind", INTEGERS)
def test_bfloat16_with_integers_follows_float16s_rule(backend: Backend, kind: str) -> None:
    x, integers = np.array([-2.0, 0.5, 3.0]), np.array([0, 1, 1], kind)
    want = gs.bce_with_logits(x.astype(np.float16), integers).dtype
    want = BFLOAT16 if want == np.float16 else want
    arrays = x.astype(BFLOAT16), integers
    for order in (arrays, arrays[::-1]):
        got = gs.bce_with_logits(*(backend.to_device(a) for a in order))
        assert got.dtype == want
        expected = gs.bce_with_logits(*(a.astype(want) for a in order))
        assert backend.to_host(got).tobytes() == expected.tobytes()
    scalar = gs.bce_with_logits(backend.to_device(arrays[0]), integers[1])
    assert scalar.dtype == want


def test_bfloat16_with_integers_and_wider_floats() -> None:
    x = np.ones(3, BFLOAT16)
    for kinds, want in ((("int8", "float32"), "float32"), (("int64", "float32"), "float64")):
        assert gs.bce_with_logits.vjp(x, *(np.ones(3, k) for k in kinds)).dtype == want
    with pytest.raises(TypeError, match="bfloat16 and float16 have no common dtype"):
        gs.bce_with_logits(x, np.ones(3, np.float16))


@pytest.mark.parametrize("size", [5, 3_000_000])
def test_results_that_would_be_written_over_each_other_are_refused(size: int, backend: Backend) -> None:
    x = backend.to_device(np.linspace(-3, 3, size))
    both = backend.to_device(np.zeros(2 * size))
    for out in ((both[:size], both[:size]), (both[:size], both[size // 2 : size // 2 + size])):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            gs.sigmoid.value_and_grad(x, out=out)
    wanted = [backend.to_host(y) for y in gs.sigmoid.value_and_grad(x)]
    for out in ((both[:size], both[size:]), (both[::2], both[1::2])):
        gs.sigmoid.value_and_grad(x, out=out)
        whole = backend.to_host(both)
        got = (whole[:size], whole[size:]) if out[0].strides[0] == 8 else (whole[::2], whole[1::2])
        for y, w in zip(got, wanted, strict=True):
            assert np.array_equal(y, w)
