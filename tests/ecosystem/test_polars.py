"""polars: Series, with what is missing, and expressions."""

from typing import Any

import numpy as np
import pytest
from helpers.methods import as_tuple, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

pl = library("polars")

VALUES = np.linspace(0.1, 0.9, 5, dtype=np.float32)
DTYPES = ["Boolean", "Int8", "UInt64", "Float16", "Float32", "Float64"]


@pytest.mark.parametrize("name", PUBLIC)
def test_series(function: Any, name: str) -> None:
    arrays = operands(function, name, VALUES)
    got = function.methods[name](pl.Series("logit", arrays[0]), *arrays[1:])
    for y, w in zip(as_tuple(got), as_tuple(function.methods[name](*arrays)), strict=True):
        assert (type(y), y.name, y.dtype) == (pl.Series, "logit", pl.Float32)
        np.testing.assert_array_equal(y.to_numpy(), w)


@pytest.mark.parametrize("second", DTYPES)
@pytest.mark.parametrize("first", DTYPES)
def test_what_is_missing_stays_missing(first: str, second: str) -> None:
    x = pl.concat([pl.Series([1, None]), pl.Series([0])]).cast(getattr(pl, first))
    t = pl.Series([1, 1, None]).cast(getattr(pl, second))
    assert x.n_chunks() == 2
    hosts = [np.array([1], "bool" if d == "Boolean" else d.lower()) for d in (first, second)]
    for y, w in zip(
        gs.bce_with_logits.value_and_grad(x, t), gs.bce_with_logits.value_and_grad(*hosts), strict=True
    ):
        assert y.to_list() == [w[0].item(), None, None]
        assert y.dtype == getattr(pl, w.dtype.name.capitalize())


@pytest.mark.parametrize("dtype", [pl.Int128, *filter(None, [getattr(pl, "UInt128", None)])], ids=str)
def test_integers_of_128_bits(dtype: Any) -> None:
    got = gs.bce_with_logits(
        pl.Series([3, 2**100 + 1, None], dtype=dtype), pl.Series([0.25, 0, 0], dtype=pl.Float32)
    )
    assert got.dtype == pl.Float64
    assert got.to_list() == [gs.bce_with_logits(3, 0.25), 2.0**100, None]


def test_beside_others_and_in_expressions() -> None:
    x, host = pl.Series("a", [0.5, -3.0]), np.array([0.5, -3.0])
    for target in (1, 0.25, np.float32(0.25), [0.0, 1.0], np.array([0.0, 1.0])):
        for method in (gs.bce_with_logits, gs.sigmoid.vjp):
            np.testing.assert_array_equal(method(x, target).to_numpy(), method(host, target))
    assert gs.bce_with_logits([0.5, -3.0], x).to_list() == gs.bce_with_logits(host, host).tolist()
    frame = pl.DataFrame({"a": x, "b": [1, None]}).select(pl.all().map_batches(gs.sigmoid, pl.Float64))
    assert frame.to_dict(as_series=False) == {"a": gs.sigmoid(host).tolist(), "b": [gs.sigmoid(1), None]}


def test_refusals() -> None:
    x = pl.Series([0.5, -3.0])
    for wrong in (
        pl.Series(["a"]),
        pl.Series([[1.0]]),
        pl.Series([1], dtype=pl.Decimal(5, 2)),
        pl.Series([None]),
    ):
        with pytest.raises(TypeError, match=r"^sigmoid: dtype .* is not accepted; accepted are float16"):
            gs.sigmoid(wrong)
    for wrong in (pl.DataFrame({"a": x}), pl.LazyFrame({"a": x})):
        with pytest.raises(TypeError, match=r"^sigmoid: only Series .* polars\.all\(\)\.map_batches"):
            gs.sigmoid(wrong)
    for wrong in (pl.Float32, pl.Float32(), x.dt, pl.Schema({"a": pl.Int8}), pl.when(True)):
        with pytest.raises(TypeError, match=r"^sigmoid: .*polars\S+ is not accepted; accepted are numbers"):
            gs.sigmoid(wrong)
    for wrong, instead in ((pl.col("a"), r"polars\.col\('a'\)"), (pl.all(), "expression")):
        with pytest.raises(
            TypeError, match=rf"^sigmoid: .* not Expr: .* {instead}\.map_batches\(gs\.sigmoid\)$"
        ):
            gs.sigmoid(wrong)
    with pytest.raises(TypeError, match="makes new Series"):
        gs.sigmoid(x, out=x)
    for wrong in (pl.Series([1.0]), np.ones((2, 2)), np.ones(3)):
        with pytest.raises(
            ValueError, match=r"^bce_with_logits: (Series must have the same length|.* broadcast)"
        ):
            gs.bce_with_logits(x, wrong)
