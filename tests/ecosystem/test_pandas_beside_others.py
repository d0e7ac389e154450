"""pandas' columns beside what has no labels: masked arrays, pandas.NA, arrays of other shapes."""

import re
from typing import Any

import numpy as np
import pytest
from helpers.methods import as_tuple
from helpers.required import library

import gpu_sigmoid as gs

pd = library("pandas")

M = np.ma.array([1.0, 2.0, 3.0], mask=[True, False, False])


@pytest.mark.parametrize("kind", [pd.Series, pd.Index, pd.array])
@pytest.mark.parametrize("dtype", ["int64", "float32", "Int64", "Float32", "double[pyarrow]"])
def test_what_a_mask_hides_is_missing(dtype: str, kind: Any) -> None:
    if "pyarrow" in dtype:
        library("pyarrow")
    x, host = kind([1, 2, 3], dtype=dtype), np.array([1, 2, 3], "f4" if "32" in dtype else "f8")
    for method, given in (
        (gs.sigmoid.vjp, (x, M)),
        (gs.bce_with_logits, (M, x)),
        (gs.swiglu.grad, (M, x)),
        (gs.softplus.parametrised, (x, M)),
    ):
        wanted = as_tuple(method(*(M.data if o is M else host for o in given)))
        for y, want in zip(as_tuple(method(*given)), wanted, strict=True):
            assert type(y) is type(x) or kind is pd.array
            assert y.isna().tolist() == [True, False, False]
            np.testing.assert_array_equal(y[1:].astype("f8"), want[1:].astype("f8"))
    assert gs.sigmoid.vjp(x, np.ma.masked).isna().all()
    np.testing.assert_array_equal(M.mask, [True, False, False])


def test_masks_beside_missing_values_and_other_labels() -> None:
    x = pd.Series([1.0, 2.0, None], dtype="Float64")
    assert gs.bce_with_logits(x, M).isna().tolist() == [True, False, True]
    assert gs.bce_with_logits(x.array, M).isna().tolist() == [True, False, True]
    t = pd.Series([0.0, 1.0], [1, 3])
    hidden = np.ma.array(np.ones(4), mask=[0, 1, 0, 0])
    for got in gs.bce_with_logits.value_and_grad(pd.Series([1, 2], [1, 3], dtype="Int64"), t):
        assert not got.isna().any()
    assert gs.bce_with_logits.vjp(x, t, hidden).isna().all()


@pytest.mark.parametrize("method", [gs.sigmoid.vjp, gs.softplus.parametrised], ids=str)
def test_pandas_na(method: Any) -> None:
    """It is missing in nullable columns, and refused elsewhere, where pandas would make objects."""
    for x in (pd.Series([1.0, 2.0], dtype="Float32"), pd.array([1, 2], dtype="Int8")):
        got = method(x, pd.NA)
        assert got.isna().all()
        assert got.dtype == ("Float32" if x.dtype == "Float32" else "Float64")
    frame = pd.DataFrame({"a": [1.0, 2.0]})
    for wrong in (np.ones(2), frame.a, frame, pd.Index([1.0])):
        with pytest.raises(
            TypeError, match=rf"^{method.label}: pandas\.NA is .* nullable .* not with dtype float64"
        ):
            method(wrong, pd.NA)
    assert gs.sigmoid(pd.NA) is pd.NA


@pytest.mark.parametrize(
    "other", [np.ones((2, 3)), [[1], [2]], np.ones((3, 1)), np.ones((1, 3)), np.ones(2), [1.0, 2.0]], ids=str
)
@pytest.mark.parametrize("dtype", ["float64", "Float64", "double[pyarrow]"])
def test_arrays_that_do_not_lie_along_a_column_are_refused(dtype: str, other: Any) -> None:
    if "pyarrow" in dtype:
        library("pyarrow")
    x, shape = pd.Series([1, 2, 3], dtype=dtype), re.escape(str(np.shape(other)))
    for given in (x, x.array, pd.Index(x)):
        with pytest.raises(ValueError, match=rf"^sigmoid\.vjp: operands of shapes \(3,\), {shape}"):
            gs.sigmoid.vjp(given, other)


def test_arrays_lie_along_aligned_series() -> None:
    x, t = pd.Series([1.0, 2.0]), pd.Series([0.0, 1.0], [1, 2])
    got = gs.bce_with_logits.vjp(x, t, np.array([7.0, 2.0, 7.0]))
    assert got.isna().tolist() == [True, False, True]
    assert got[1] == gs.bce_with_logits.vjp(2.0, 0.0, 2.0)
    with pytest.raises(ValueError, match=r"^bce_with_logits\.vjp: operands of shapes \(3,\), \(2,\) do not"):
        gs.bce_with_logits.vjp(x, t, np.ones(2))
    with pytest.raises(ValueError, match=r"no array may .* be longer than a Series"):
        gs.bce_with_logits(x[:1], np.ones(3))
