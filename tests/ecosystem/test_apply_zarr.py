"""`gpu-sigmoid apply` on Zarr arrays: results, and what says what numbers mean."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, refused
from helpers.required import library

import gpu_sigmoid as gs

zarr = library("zarr")

FLOATS = ["float16", "float32", "float64"]
X = np.linspace(-20, 20, 70).reshape(7, 10)


def make_zarr(path: Path, x: np.ndarray = X, **options: Any) -> Any:
    array = zarr.create_array(path, shape=x.shape, dtype=x.dtype, chunks=(3, 4), **options)
    array[:] = x
    return array


@pytest.mark.parametrize("options", [{}, {"zarr_format": 2}, {"shards": (6, 8)}], ids=["v3", "v2", "shards"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_zarr(tmp_path: Path, dtype: str, options: dict) -> None:
    x = X.astype(dtype)
    make_zarr(tmp_path / "x.zarr", x, **options)
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--function", "silu")
    y = zarr.open_array(tmp_path / "y.zarr", mode="r")
    assert (y.dtype, y.chunks, y.shards) == (x.dtype, (3, 4), options.get("shards"))
    np.testing.assert_array_equal(y[:], gs.silu(x))
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--what", "both")
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr")[:], gs.sigmoid.value_and_grad(x))
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--function", "softplus", "--beta", "-2.5")
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr")[:], gs.softplus(x, beta=-2.5))
    assert sorted(os.listdir(tmp_path)) == ["x.zarr", "y.zarr"]


@pytest.mark.parametrize("shape", [(), (0, 3), (5,)])
@pytest.mark.parametrize("version", [2, 3])
def test_shapes(tmp_path: Path, shape: tuple[int, ...], version: int) -> None:
    x = np.ones(shape, np.float32)
    zarr.create_array(tmp_path / "x.zarr", shape=shape, dtype="f4", zarr_format=version)[...] = x
    for what, want in (("value", gs.sigmoid(x)), ("both", np.stack(gs.sigmoid.value_and_grad(x)))):
        done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--what", what)
        got = np.asarray(zarr.open_array(tmp_path / "y.zarr")[...])
        assert got.shape == want.shape
        np.testing.assert_array_equal(got, want)


def test_group(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "g.zarr", mode="w")
    group.create_array("logits", data=X)
    group.create_group("run").create_array("last", data=X + 1)
    message = refused("apply", tmp_path / "g.zarr", tmp_path / "y.zarr")
    assert "name one of its arrays with --column: 'logits', 'run/last'" in message
    for name, x in (("logits", X), ("run/last", X + 1), ("/logits/", X)):
        done("apply", tmp_path / "g.zarr", tmp_path / "y.zarr", "--column", name)
        np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr")[:], gs.sigmoid(x))
    for name in ("x", "run", "", ".", "..", "../g.zarr/logits", "run/../logits", "/", "a" * 300, "logits/c"):
        message = refused("apply", tmp_path / "g.zarr", tmp_path / "y.zarr", "--column", name)
        assert f"has no array {name!r}; it has 'logits', 'run/last'" in message


@pytest.mark.parametrize("column", [[], ["--column", "logits"]])
def test_a_group_without_arrays(tmp_path: Path, column: list[str]) -> None:
    zarr.open_group(tmp_path / "g.zarr", mode="w").create_group("run")
    message = refused("apply", tmp_path / "g.zarr", tmp_path / "y.zarr", *column)
    assert message.endswith("g.zarr is a group without arrays\n")


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("x.zarr", lambda p: p.mkdir(), "not a readable Zarr array"),
        ("x.zarr", lambda p: p.write_text("zip"), "is not a folder, but a Zarr array or group is one"),
        ("x.zarr", lambda p: make_zarr(p, X.astype("complex64")), "complex64 is not accepted"),
        ("x.zarr", lambda p: make_zarr(p, X.astype("M8[s]")), "is not accepted"),
        ("x.zarr", lambda p: make_zarr(p, X.astype("U4"), zarr_format=2), "is not accepted"),
        ("x.csv", lambda p: p.write_text("1"), "accepted are .npy, .zarr, .parquet"),
    ],
)
def test_refusals(tmp_path: Path, name: str, make: Any, words: str) -> None:
    make(tmp_path / name)
    assert words in refused("apply", tmp_path / name, tmp_path / f"y{Path(name).suffix}")
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("version", [2, 3])
def test_attributes_and_names_of_dimensions_are_kept(tmp_path: Path, version: int) -> None:
    attributes = {"units": "1", "_ARRAY_DIMENSIONS": ["y", "x"], "nested": {"a": [1, None]}}
    names = {"dimension_names": ("y", "x")} if version == 3 else {}
    make_zarr(tmp_path / "x.zarr", fill_value=np.nan, attributes=attributes, zarr_format=version, **names)
    for what, dimensions in (("value", ["y", "x"]), ("both", ["component", "y", "x"])):
        done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--what", what)
        y = zarr.open_array(tmp_path / "y.zarr")
        assert dict(y.attrs) == {**attributes, "_ARRAY_DIMENSIONS": dimensions}
        if version == 3:
            assert list(y.metadata.dimension_names) == dimensions


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_FillValue", -9999),
        ("_FillValue", "AAAAAACHw8A="),
        ("missing_value", 0),
        ("scale_factor", 0.1),
        ("add_offset", 5),
        ("valid_range", [0, 1]),
        ("valid_min", 0),
        ("valid_max", 1),
        ("_Unsigned", "true"),
    ],
)
def test_packed_numbers_are_refused(tmp_path: Path, version: int, key: str, value: Any) -> None:
    make_zarr(tmp_path / "x.zarr", X, attributes={key: value}, zarr_format=version)
    message = refused("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    assert f"({key}) say that its numbers are packed or limited: decode them first" in message
    assert os.listdir(tmp_path) == ["x.zarr"]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("fill", [-9999.0, np.inf, 1.0])
def test_fill_values_that_may_stand_for_missing_ones_are_refused(
    tmp_path: Path, version: int, fill: float
) -> None:
    zarr.create_array(tmp_path / "x.zarr", shape=(4,), dtype="f4", fill_value=fill, zarr_format=version)
    message = refused("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    assert f"the fill value {fill} may mark missing numbers" in message


@pytest.mark.parametrize(("version", "fill"), [(3, 0), (2, 0), (2, None), (3, np.nan), (2, np.nan)])
@pytest.mark.parametrize("what", ["value", "both"])
def test_fill_values_are_kept_and_chunks_that_are_missing_read_as_theirs(
    tmp_path: Path, version: int, fill: float | None, what: str
) -> None:
    array = zarr.create_array(
        tmp_path / "x.zarr", shape=(6,), chunks=(2,), dtype="f4", fill_value=fill, zarr_format=version
    )
    array[:2] = [1, -np.inf]
    array[2:4] = -np.inf
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--what", what)
    y = zarr.open_array(tmp_path / "y.zarr", mode="r")
    np.testing.assert_equal(y.fill_value, None if fill is None else np.float32(fill))
    want = gs.sigmoid.value_and_grad(array[:])
    np.testing.assert_array_equal(y[:], want[0] if what == "value" else want)
    if fill is None:
        # another library may read anything where nothing is
        assert y.nchunks_initialized == y.nchunks


@pytest.mark.parametrize("version", [2, 3])
def test_xarray_reads_what_it_wrote_and_its_packing_is_refused(tmp_path: Path, version: int) -> None:
    xarray = library("xarray")
    x = X.copy()
    x[2, 3], x[3, :] = np.nan, 0.0
    data = xarray.Dataset({"x": (("a", "b"), x, {"units": "m"})})
    data.to_zarr(tmp_path / "g.zarr", zarr_format=version, consolidated=False)
    done("apply", tmp_path / "g.zarr", tmp_path / "h.zarr", "--column", "x")
    group = zarr.open_group(tmp_path / "out", mode="w", zarr_format=version)
    (tmp_path / "h.zarr").rename(Path(group.store.root) / "y")
    with xarray.open_zarr(tmp_path / "out", consolidated=False) as got:
        np.testing.assert_array_equal(got["y"], gs.sigmoid(x))
        assert got["y"].dims == ("a", "b")
        assert got["y"].attrs["units"] == "m"
    packed = {"x": {"dtype": "int16", "scale_factor": 0.1, "_FillValue": -1}}
    data.to_zarr(tmp_path / "p.zarr", zarr_format=version, encoding=packed)
    assert "packed" in refused("apply", tmp_path / "p.zarr", tmp_path / "y.zarr", "--column", "x")
    marked = {"x": {"_FillValue": 0.0}}
    data.to_zarr(tmp_path / "m.zarr", zarr_format=version, encoding=marked)
    assert "decode" in refused("apply", tmp_path / "m.zarr", tmp_path / "y.zarr", "--column", "x")
    for name in ("p", "m"):
        decoded = xarray.open_zarr(tmp_path / f"{name}.zarr").drop_encoding()
        decoded.to_zarr(tmp_path / f"{name}-decoded.zarr", zarr_format=version)
        done("apply", tmp_path / f"{name}-decoded.zarr", tmp_path / f"{name}-y.zarr", "--column", "x")
        want = gs.sigmoid(decoded["x"].to_numpy())
        np.testing.assert_array_equal(zarr.open_array(tmp_path / f"{name}-y.zarr")[:], want)
