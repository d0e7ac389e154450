"""Arrays of other libraries that follow the array API standard."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from helpers.methods import as_tuple, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

xp = library("array_api_strict")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PUBLIC)
def test_same_bits_as_numpy(function: Any, name: str, dtype: str) -> None:
    arrays = operands(function, name, np.linspace(0.1, 0.9, 12, dtype=dtype).reshape(3, 4)[:, ::2])
    got = function.methods[name](*map(xp.asarray, arrays))
    want = function.methods[name](*arrays)
    for y, w in zip(as_tuple(got), as_tuple(want), strict=True):
        assert isinstance(y, type(xp.asarray(0.0)))
        assert y.shape == (3, 2)
        np.testing.assert_array_equal(np.from_dlpack(y), w)


def test_no_dimensions_and_numbers() -> None:
    assert float(gs.sigmoid(xp.asarray(0.0))) == 0.5
    assert float(gs.bce_with_logits(xp.asarray(0.0), 1)) == pytest.approx(np.log(2))
    assert gs.sigmoid(xp.asarray([1, 2])).dtype == xp.float64


@pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
@pytest.mark.parametrize("device", ["device1", "device2", "no_float64", "no_x64"])
def test_results_lie_on_the_operands_device(device: str, dtype: str) -> None:
    """Where there is no float64, integers and bool are computed in float32."""
    x = xp.asarray([1, 0], dtype=getattr(xp, dtype), device=xp.Device(device))
    single = dtype == "float32" or device.startswith("no")
    host = np.array([1, 0], np.float32 if single else np.float64)
    for given in ((x, 1), (x, x), (1, x)):
        want = gs.bce_with_logits.value_and_grad(*(1 if o is not x else host for o in given))
        for y, w in zip(gs.bce_with_logits.value_and_grad(*given), want, strict=True):
            assert y.device == x.device
            np.testing.assert_array_equal(np.from_dlpack(y), w, strict=True)


def test_lists_beside_arrays() -> None:
    x = xp.asarray([0.5, 1.0])
    for given in ((x, [0.0, 1.0]), ([0.0, 1.0], x), ((0.5, 1), x)):
        got = gs.bce_with_logits(*given)
        assert type(got) is type(x)
        np.testing.assert_array_equal(np.from_dlpack(got), gs.bce_with_logits(*map(np.asarray, given)))
    with pytest.raises(TypeError, match=r"a sequence of .*Array is not accepted"):
        gs.sigmoid([x, x])


# for DLPack NumPy may ask for an older version, and pyarrow warns
@pytest.mark.filterwarnings("error")
def test_pyarrow() -> None:
    pa = library("pyarrow")
    got = gs.sigmoid(pa.array([0.5, 1.0], pa.float32()))
    np.testing.assert_array_equal(got, gs.sigmoid(np.float32([0.5, 1.0])), strict=True)
    table = np.float32([[0.5, 1.0], [2.0, 3.0]])
    np.testing.assert_array_equal(gs.sigmoid(pa.Tensor.from_numpy(table)), gs.sigmoid(table), strict=True)
    for wrong, way in (
        (pa.array([0.5, None]), r"numpy\.asarray"),
        (pa.array([True]), r"array\.to_numpy\(zero_copy_only=False\)"),
        (pa.array([True, None]), r"array\.cast\('float64'\)\.to_numpy\(zero_copy_only=False\)"),
    ):
        with pytest.raises(TypeError, match=rf"^sigmoid: .*Array cannot be read without a copy: .* {way}$"):
            gs.sigmoid(wrong)
    with pytest.raises(
        TypeError, match=r"^sigmoid: pyarrow.*ChunkedArray is not accepted; numpy\.asarray converts"
    ):
        gs.sigmoid(pa.chunked_array([[0.5]]))


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (["a"], "string"),
        ([Decimal("1.5")], r"decimal128\(2, 1\)"),
        ([date(2026, 1, 1)], r"date32\[day\]"),
        ([[0.5]], "list<item: double>"),
        ([None], "null"),
    ],
)
def test_pyarrows_types_that_are_no_numbers(values: list, name: str) -> None:
    array = library("pyarrow").array(values)
    for method, given in ((gs.sigmoid, (array,)), (gs.sigmoid.vjp, (1.0, array))):
        with pytest.raises(
            TypeError, match=rf"^{method.label}: dtype {name} is not accepted; accepted are float16"
        ):
            method(*given)


@pytest.mark.filterwarnings("error")
def test_pyarrow_is_not_asked_for_an_old_version(monkeypatch: pytest.MonkeyPatch) -> None:
    x = library("pyarrow").array([0.5, 1.0])
    # as NumPy before 2.1 asks
    monkeypatch.setattr(np, "from_dlpack", lambda array: array.__dlpack__())
    np.testing.assert_array_equal(gs.sigmoid(x), gs.sigmoid([0.5, 1.0]))


def test_refusals() -> None:
    x = xp.asarray([1.0])
    with pytest.raises(TypeError, match="complex128 is not accepted"):
        gs.sigmoid(xp.asarray([1j]))
    with pytest.raises(TypeError, match="has no out"):
        gs.sigmoid(x, out=x)
    with pytest.raises(TypeError, match="cannot be mixed"):
        gs.bce_with_logits(x, np.ones(1))
    with pytest.raises(TypeError, match=r"Device\('CPU_DEVICE'\) and .*Device\('device1'\) cannot be mixed"):
        gs.bce_with_logits(x, xp.asarray([1.0], device=xp.Device("device1")))


@pytest.mark.skipif(gs.gpu_available(), reason="there is a GPU")
def test_other_places(monkeypatch: pytest.MonkeyPatch) -> None:
    x = xp.asarray([1.0])
    monkeypatch.setattr(type(x), "__dlpack_device__", lambda self: (2, 0))
    with pytest.raises(RuntimeError, match="lies on a GPU, and none can be used: there is no NVIDIA driver"):
        gs.sigmoid(x)
    monkeypatch.setattr(type(x), "__dlpack_device__", lambda self: (10, 0))
    with pytest.raises(TypeError, match=r"device \(10, 0\), which is neither the host nor"):
        gs.sigmoid(x)


def test_dlpack_alone() -> None:
    class Exporter:
        def __dlpack__(self, **options: Any) -> Any:
            return np.ones(3).__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return (1, 0)

    got = gs.sigmoid(Exporter())
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, gs.sigmoid(np.ones(3)))
