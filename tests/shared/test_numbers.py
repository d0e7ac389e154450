"""Numbers among arrays and alone; arrays of no dimension."""

from enum import IntEnum
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import bits, checked, checked_into, laid, sample
from helpers.combinations import with_a_dtype
from helpers.floats import BFLOAT16, DTYPES
from helpers.methods import as_tuple, methods_of_several_operands, operands

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

METHODS = methods_of_several_operands()
# 0.1 is in no format: it is to be rounded once
PYTHON = [0.1, -0.0, 3, True, 1e-30, float("inf"), float("nan")]


@with_a_dtype(method=METHODS, number=PYTHON)
def test_a_python_number_takes_the_arrays_dtype(
    method: Any, dtype: str, number: float, backend: Backend
) -> None:
    arrays = sample(method, DTYPES[dtype], 20)
    for place in range(len(arrays)):
        hosts = [number if i == place else a for i, a in enumerate(arrays)]
        got = checked(backend, method, *hosts)
        assert all(y.dtype == DTYPES[dtype] for y in as_tuple(got))


class Half(float):
    pass


@pytest.mark.parametrize("number", [Half(0.5), IntEnum("Level", "LOW").LOW], ids=repr)  # type: ignore[attr-defined]
def test_a_number_of_another_class_is_taken_as_a_number(number: Any, backend: Backend) -> None:
    plain = 0.5 if isinstance(number, float) else 1
    for method in (gs.sigmoid.vjp, gs.bce_with_logits.value_and_grad):
        hosts = sample(method, np.float32, 20)[:-1]
        checked(backend, method, *hosts, plain)
        got, want = (method(*(laid(backend, o) for o in (*hosts, n))) for n in (number, plain))
        for y, w in zip(as_tuple(got), as_tuple(want), strict=True):
            assert bits(backend.to_host(y)) == bits(backend.to_host(w))
    assert gs.sigmoid(number) == gs.sigmoid([number])[0] == gs.sigmoid(plain)


@pytest.mark.parametrize("number", [1e30, -1e30, 70000], ids=repr)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_number_beyond_the_dtypes_range_is_infinite(dtype: str, number: float, backend: Backend) -> None:
    for method in (gs.sigmoid.vjp, gs.bce_with_logits):
        checked(backend, method, sample(method, DTYPES[dtype], 20)[0], number)


SCALARS = [
    *(np.float16(0.1), np.float32(0.1), np.float64(0.1), BFLOAT16.type(0.1)),
    *(np.bool_(True), np.int8(-3), np.uint16(7), np.int64(1)),
]


@pytest.mark.parametrize("number", SCALARS, ids=lambda n: n.dtype.name)
@pytest.mark.parametrize("dtype", [*DTYPES, "int32"])
@pytest.mark.parametrize("method", [gs.sigmoid.vjp, gs.bce_with_logits], ids=str)
def test_a_numpy_scalar_is_promoted(method: Any, dtype: str, number: Any, backend: Backend) -> None:
    arrays = sample(method, DTYPES.get(dtype, dtype), 20)
    for place in range(len(arrays)):
        hosts = tuple(number if i == place else a for i, a in enumerate(arrays))
        if {BFLOAT16, np.dtype(np.float16)} <= {h.dtype for h in hosts}:
            with pytest.raises(TypeError, match="have no common dtype"):
                method(*(laid(backend, h) for h in hosts))
        else:
            checked(backend, method, *hosts)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_numbers_for_all_but_one_operand(method: Any, dtype: str, backend: Backend) -> None:
    arrays = sample(method, DTYPES[dtype], 20)
    for place in range(len(arrays)):
        hosts = tuple(a if i == place else 0.25 for i, a in enumerate(arrays))
        checked(backend, method, *hosts)
        outs = [backend.to_device(np.zeros(20, DTYPES[dtype])) for _ in method.mode.partials]
        checked_into(backend, method, hosts, tuple(outs))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_arrays_of_no_dimension(function: Any, name: str, dtype: str, backend: Backend) -> None:
    method = function.methods[name]
    hosts = tuple(a.reshape(()) for a in sample(method, DTYPES[dtype], 1))
    checked(backend, method, *hosts)
    outs = [backend.to_device(np.full((), 7, DTYPES[dtype])) for _ in method.mode.partials]
    checked_into(backend, method, hosts, tuple(outs))


# numbers alone are computed on the CPU: they lie nowhere else


@pytest.mark.parametrize("x", [True, 3, 0.5, [0.5, 1], range(3), np.int8(3), (0.25, True)], ids=repr)
@pytest.mark.parametrize("name", PUBLIC)
def test_numbers_and_sequences_give_float64(function: Any, name: str, x: Any) -> None:
    method = function.methods[name]
    more = len(method.operands) - 1
    got = as_tuple(method(x, *(0.25, 3, 2)[:more]))
    want = as_tuple(method(*operands(function, name, np.asarray(x, np.float64))))
    for y, w in zip(got, want, strict=True):
        assert y.dtype == np.float64
        assert y.shape == np.shape(x)
        np.testing.assert_array_equal(y, w)


def test_a_number_into_an_array_is_refused() -> None:
    for number in (0.5, 1, True, np.float64(0.5)):
        with pytest.raises(ValueError, match=r"out has shape \(4,\), the result has \(\)"):
            gs.sigmoid(number, out=np.zeros(4))
    assert gs.sigmoid(0.0, out=np.zeros(())) == 0.5
    with pytest.raises(ValueError, match=r"out has shape \(2, 3\), the result has \(3,\)"):
        gs.sigmoid([0.5, 1.0, 2.0], out=np.zeros((2, 3)))
