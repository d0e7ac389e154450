"""Labelled arrays: labels and dtypes are kept, what is missing stays missing, values are the array's."""

import re
from typing import Any

import numpy as np
import pytest
from helpers.methods import as_tuple, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

pd, xr = library("pandas"), library("xarray")

VALUES = np.linspace(0.1, 0.9, 5, dtype=np.float32)


@pytest.mark.parametrize("name", PUBLIC)
def test_series(function: Any, name: str) -> None:
    arrays = operands(function, name, VALUES)
    index = pd.date_range("2026-01-01", periods=5)
    got = function.methods[name](pd.Series(arrays[0], index, name="logit"), *arrays[1:])
    for y, w in zip(as_tuple(got), as_tuple(function.methods[name](*arrays)), strict=True):
        pd.testing.assert_series_equal(y, pd.Series(w, index, name="logit"), check_exact=True)


def test_two_series_are_aligned() -> None:
    x, t = pd.Series([1.0, 2.0], ["a", "b"]), pd.Series([0.0, 1.0], ["b", "c"])
    got = gs.bce_with_logits(x, t)
    assert list(got.index) == ["a", "b", "c"]
    assert got["b"] == gs.bce_with_logits(2.0, 0.0)
    assert got[["a", "c"]].isna().all()


def test_what_is_missing_in_a_nullable_series_stays_missing() -> None:
    got = gs.sigmoid(pd.Series([0.0, None, 2.0], dtype="Float32"))
    assert got.dtype == "Float32"
    assert list(got.isna()) == [False, True, False]
    assert got[2] == gs.sigmoid(np.float32(2.0))
    assert gs.sigmoid(pd.Series([0, None], dtype="Int64")).dtype == "Float64"


@pytest.mark.parametrize("name", PUBLIC)
def test_frame_keeps_each_columns_dtype(function: Any, name: str) -> None:
    frame = pd.DataFrame({"a": VALUES, "b": VALUES.astype("f8"), "c": VALUES.astype("f2")}, list("vwxyz"))
    more = (0.25, 3.0, 0.5)[: len(operands(function, name, VALUES)) - 1]
    for i, got in enumerate(as_tuple(function.methods[name](frame, *more))):
        assert list(got.columns) == ["a", "b", "c"]
        assert list(got.index) == list("vwxyz")
        for column in frame:
            want = as_tuple(function.methods[name](frame[column].to_numpy(), *more))[i]
            assert got[column].dtype == frame[column].dtype
            np.testing.assert_array_equal(got[column].to_numpy(), want)


def test_frames_beside_frames() -> None:
    x = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["a", "a"])
    np.testing.assert_array_equal(
        gs.bce_with_logits(x, x * 0), gs.bce_with_logits(x.to_numpy(), np.zeros((2, 2)))
    )
    assert gs.sigmoid(pd.DataFrame(index=[1, 2])).shape == (2, 0)
    with pytest.raises(ValueError, match="the same columns"):
        gs.bce_with_logits(x, x.set_axis(["a", "b"], axis=1))
    with pytest.raises(TypeError, match="make it a DataFrame"):
        gs.bce_with_logits(x, x.to_numpy())


class Measured(pd.DataFrame):
    """A subclass as pandas describes them, such as geopandas' frames."""

    _metadata = ("unit",)

    @property
    def _constructor(self) -> Any:
        return Measured


def test_frames_of_a_subclass_stay_such() -> None:
    frame = Measured({"a": VALUES, "b": VALUES})
    frame.unit = "m"
    for got in gs.silu.value_and_grad(frame):
        assert type(got) is Measured
        assert got.unit == "m"


def test_numbers_beyond_a_columns_range_are_infinite() -> None:
    for dtype in ("float16", "Float32"):
        with np.errstate(all="raise"):
            assert gs.bce_with_logits(pd.Series([1.0], dtype=dtype), 1e300)[0] == -np.inf


def test_pandas_refusals() -> None:
    with pytest.raises(TypeError, match="str is not accepted"):
        gs.sigmoid(pd.Series(["a"]))
    with pytest.raises(TypeError, match="assign the result"):
        gs.sigmoid(pd.Series([1.0]), out=pd.Series([1.0]))
    series = pd.Series([1.0, 2.0])
    parts = (series.rolling(2), series.groupby([0, 1]), series.iloc)
    for other in (*parts, pd.Timestamp(2026, 1, 1), pd.NaT, pd.Int64Dtype(), pd.Series):
        with pytest.raises(TypeError, match=r"^sigmoid: .*pandas\S+ is not accepted; .* of NumPy, CuPy"):
            gs.sigmoid(other)
    with pytest.raises(TypeError, match="category is not accepted"):
        gs.sigmoid(pd.Series([1.0], dtype="category"))
    with pytest.raises(TypeError, match="numbers are accepted, not a list or NumPy array"):
        gs.sigmoid.vjp(pd.DataFrame({"a": series}), [1, 2])


@pytest.mark.parametrize("dtype", ["decimal128(5, 2)", "date32[day]"])
def test_arrows_other_types_are_called_by_their_names(dtype: str) -> None:
    pa = library("pyarrow")
    of = pd.ArrowDtype(pa.decimal128(5, 2) if "dec" in dtype else pa.date32())
    wrong = pd.Series([None], dtype=of)
    for method, given in ((gs.sigmoid, (wrong,)), (gs.bce_with_logits, (pd.Series([1.0]), wrong))):
        with pytest.raises(
            TypeError,
            match=rf"^{method.label}: dtype {re.escape(dtype)}\[pyarrow\] is not accepted; accepted",
        ):
            method(*given)


@pytest.mark.parametrize("name", PUBLIC)
def test_data_array(function: Any, name: str) -> None:
    arrays = operands(function, name, VALUES)
    x = xr.DataArray(arrays[0], dims="t", coords={"t": range(5)}, name="logit", attrs={"unit": "1"})
    got = function.methods[name](x, *(xr.DataArray(a, dims="t") for a in arrays[1:]))
    for y, w in zip(as_tuple(got), as_tuple(function.methods[name](*arrays)), strict=True):
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y.values, w)
        np.testing.assert_array_equal(y.t, x.t)


def test_data_set_and_dask_inside() -> None:
    da = library("dask.array")
    lazy = xr.Dataset({"a": ("t", VALUES), "b": ("t", da.from_array(VALUES.astype("f8"), chunks=2))})
    s, ds = gs.sigmoid.value_and_grad(lazy)
    assert isinstance(s.b.data, da.Array)
    assert (s.a.dtype, s.b.dtype) == ("float32", "float64")
    np.testing.assert_array_equal(ds.b, gs.sigmoid.grad(VALUES.astype("f8")))
    with pytest.raises(TypeError, match="assign the result"):
        gs.sigmoid(lazy, out=lazy)
    with pytest.raises(TypeError, match="complex64 is not accepted"):
        gs.sigmoid(lazy.a.astype("c8"))


def test_data_set_refusals() -> None:
    held = xr.Dataset({"a": ("t", VALUES), "b": (("s", "t"), VALUES[None])})
    with pytest.raises(TypeError, match=r"^sigmoid: variable 'w' has dtype <U1, which is not accepted"):
        gs.sigmoid(held.assign(w=("t", list("vwxyz"))))
    for wrong, what in ((held, "variable 'a' has"), (held.a, "the other operands have")):
        with pytest.raises(
            ValueError, match=rf"^sigmoid\.vjp: an array of shape \(1, 5\) has more axes than {what} dim"
        ):
            gs.sigmoid.vjp(wrong, VALUES[None])
    assert not gs.sigmoid.vjp(xr.Dataset(), VALUES)
    for fine in (held.b, held[["b"]].b.variable):
        np.testing.assert_array_equal(
            gs.sigmoid.vjp(fine, VALUES[None]), gs.sigmoid.vjp(VALUES, VALUES)[None]
        )


OTHERS_OF_XARRAY = {
    "rolling": lambda x: x.rolling(t=2),
    "weighted": lambda x: x.weighted(x),
    "coarsened": lambda x: x.coarsen(t=2),
    "indexer": lambda x: x.loc,
    "strings": lambda x: x.astype(str).str,
    "plot": lambda x: x.plot,
    "rolling set": lambda x: x.to_dataset(name="x").rolling(t=2),
    "coordinates": lambda x: x.coords,
    "variables": lambda x: x.to_dataset(name="x").data_vars,
    "class": type,
}


@pytest.mark.parametrize("other", OTHERS_OF_XARRAY.values(), ids=OTHERS_OF_XARRAY)
def test_what_is_no_array_of_xarrays_is_refused(other: Any) -> None:
    x = xr.DataArray(VALUES[:4], dims="t", coords={"t": range(4)})
    for given in ((other(x), x), (x, other(x))):
        with pytest.raises(TypeError, match=r"^sigmoid\.vjp: .*xarray\S+ is not accepted; .* of NumPy, CuPy"):
            gs.sigmoid.vjp(*given)


def test_groups_and_trees() -> None:
    x = xr.DataArray(VALUES, dims="t", coords={"t": range(5)}, name="x")
    np.testing.assert_array_equal(gs.sigmoid(x.groupby("t")), gs.sigmoid(VALUES))
    np.testing.assert_array_equal(gs.sigmoid(xr.DataTree(x.to_dataset()))["x"], gs.sigmoid(VALUES))


NUMPY = ["bool", "int8", "float32", "float64"]
NULLABLE = ["boolean", "Int8", "Float32", "Float64"]
PYARROW = [f"{name}[pyarrow]" for name in ("bool", "int8", "halffloat", "float", "double")]


@pytest.mark.parametrize("second", NUMPY + NULLABLE + PYARROW)
@pytest.mark.parametrize("first", NUMPY + NULLABLE + PYARROW)
def test_columns_of_any_two_dtypes(first: str, second: str) -> None:
    """What is missing in one, or has no label there, is missing in the result."""
    library("pyarrow")
    x, t = (pd.Series([1, 0, 1], dtype=dtype) for dtype in (first, second))
    nullable = first not in NUMPY
    if nullable:
        x[1] = pd.NA
    got = gs.bce_with_logits.value_and_grad(x, t.set_axis([0, 1, 3]))
    for y, method in zip(got, (gs.bce_with_logits, gs.bce_with_logits.grad), strict=True):
        assert y.isna().tolist() == [False, nullable, True, True]
        # halffloat and float16, in which the result may be, have 11 bits
        assert float(y[0]) == pytest.approx(method(1.0, 1.0), rel=2e-3)
        assert y.dtype.kind == "f"


@pytest.mark.parametrize(
    "values", [["x", "y"], pd.Categorical([1, 2]), pd.to_datetime(["2020", "2021"])], ids=str
)
def test_a_frames_column_that_is_refused_is_named(values: Any) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "s": values})
    with pytest.raises(
        TypeError, match=r"^sigmoid: column 's' has dtype .*, which is not accepted; accepted are"
    ):
        gs.sigmoid(frame)
    np.testing.assert_array_equal(gs.sigmoid(frame[["a"]])["a"], gs.sigmoid([1.0, 2.0]))
