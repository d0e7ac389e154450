"""`gpu-sigmoid apply` of glu and swiglu: halves of a Zarr array, and two columns of a Parquet file."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, misused, refused
from helpers.methods import as_tuple
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.cli.computation import computation

zarr, pa, pq = library("zarr"), library("pyarrow"), library("pyarrow.parquet")

X = np.random.default_rng(0).normal(size=(7, 20))
METHODS = {"value": "value", "grad": "grad", "both": "value_and_grad"}


def wanted(name: str, what: str, a: np.ndarray, b: np.ndarray) -> tuple:
    return as_tuple(gs.FUNCTIONS[name].methods[METHODS[what]](a, b))


@pytest.mark.parametrize(
    ("chunks", "shards"),
    [((3, 4), None), ((3, 7), None), ((2, 20), None), ((3, 4), (6, 8)), ((3, 5), (3, 20)), ((9, 30), None)],
)
@pytest.mark.parametrize("what", METHODS)
@pytest.mark.parametrize("name", ["glu", "swiglu"])
def test_halves_of_a_zarr_array(
    tmp_path: Path, name: str, what: str, chunks: tuple[int, int], shards: tuple[int, int] | None
) -> None:
    x = X.astype(np.float32)
    array = zarr.create_array(tmp_path / "x.zarr", shape=x.shape, dtype="f4", chunks=chunks, shards=shards)
    array[:] = x
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--function", name, "--what", what)
    assert sorted(os.listdir(tmp_path)) == ["x.zarr", "y.zarr"]
    y = zarr.open_array(tmp_path / "y.zarr", mode="r")
    want = wanted(name, what, x[:, :10], x[:, 10:])
    np.testing.assert_array_equal(y[:], want if len(want) > 1 else want[0])
    assert y.dtype == np.float32
    leading = (1,) if len(want) > 1 else ()
    assert y.chunks == (*leading, chunks[0], min(chunks[1], 10))
    assert (y.shards is None) == (shards is None)
    # workers write at the same time, and no two blocks to one file
    from gpu_sigmoid.cli.stores.zarr import open_job

    job = open_job(tmp_path / "x.zarr", tmp_path / "z.zarr", computation(name, what, {}), ())
    sides = (y.shards or y.chunks)[-2:]
    files = [tuple(s.start // side for s, side in zip(block, sides, strict=True)) for block in job.blocks]
    assert len(files) == len(set(files))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (2,)])
def test_shapes_and_names_of_dimensions(tmp_path: Path, shape: tuple[int, ...], version: int) -> None:
    names = {"dimension_names": ("y", "x")[-len(shape) :]} if version == 3 else {}
    attributes = {"_ARRAY_DIMENSIONS": ["y", "x"][-len(shape) :]}
    array = zarr.create_array(
        tmp_path / "x.zarr",
        shape=shape,
        dtype="f8",
        fill_value=np.nan,
        zarr_format=version,
        attributes=attributes,
        **names,
    )
    array[...] = 1.5
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--function", "glu", "--what", "grad")
    y = zarr.open_array(tmp_path / "y.zarr", mode="r")
    half = shape[-1] // 2
    np.testing.assert_array_equal(y[...], gs.glu.grad(*[np.full((*shape[:-1], half), 1.5)] * 2))
    assert y.attrs["_ARRAY_DIMENSIONS"] == ["component", *attributes["_ARRAY_DIMENSIONS"]]


def test_an_array_of_odd_length_and_two_arrays_are_refused(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    group.create_array("odd", data=X[:, 1:])
    columns = ("--column", "odd")
    arguments = ("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--function", "glu", *columns)
    assert "its last axis is odd: 19, of shape (7, 19)" in refused(*arguments)
    assert "give --column once: both halves are taken from one array" in misused(*arguments, *columns)
    assert os.listdir(tmp_path) == ["x.zarr"]


def make(path: Path, **columns: Any) -> None:
    pq.write_table(pa.table(columns), path, row_group_size=9)


@pytest.mark.parametrize("what", METHODS)
@pytest.mark.parametrize("name", ["glu", "swiglu"])
@pytest.mark.parametrize("given", [("b", "a"), ()])
def test_two_columns(tmp_path: Path, given: tuple[str, ...], name: str, what: str) -> None:
    a, b = X[:4, :20].ravel(), X[3:, :20].ravel().astype(np.float32)
    numbers = {"a": a, "b": b}
    make(tmp_path / "x.parquet", **numbers, **({"other": ["text"] * a.size} if given else {}))
    options = [word for column in given for word in ("--column", column)]
    done(
        "apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--function", name, "--what", what, *options
    )
    table = pq.read_table(tmp_path / "y.parquet")
    derivatives = [f"{name}.grad_a", f"{name}.grad_b"]
    names = {"value": [name], "grad": derivatives, "both": [name, *derivatives]}[what]
    assert table.column_names == names
    want = wanted(name, what, *(numbers[column] for column in given or "ab"))
    for column, results in zip(names, want, strict=True):
        assert table[column].to_numpy().dtype == results.dtype
        np.testing.assert_array_equal(table[column].to_numpy(), results)


def test_a_null_in_either_column_is_a_null(tmp_path: Path) -> None:
    make(tmp_path / "x.parquet", a=[1.0, None, 3.0, 4.0], b=[True, False, None, True])
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--function", "glu")
    got = pq.read_table(tmp_path / "y.parquet")["glu"].to_pylist()
    assert got == [gs.glu(1.0, 1.0), None, None, gs.glu(4.0, 1.0)]


@pytest.mark.parametrize(
    ("columns", "given", "words"),
    [
        ("a", [], "has 1 column; 2 are needed"),
        ("abc", [], "has 3 columns: choose two with --column A --column B; it has 'a', 'b', 'c'"),
        ("ab", ["a"], "give --column twice, not once"),
        ("ab", ["a", "b", "a"], "give --column twice, not 3 times"),
        ("ab", ["a", "a"], "--column 'a' is given twice: choose two different columns"),
        ("ab", ["a", "c"], "has no column 'c'; it has 'a', 'b'"),
        ("at", [], "column t is of type string; numbers are accepted"),
    ],
)
def test_columns_that_are_refused(tmp_path: Path, columns: str, given: list[str], words: str) -> None:
    make(tmp_path / "x.parquet", **{name: ["1"] if name == "t" else [1.0] for name in columns})
    options = [word for column in given for word in ("--column", column)]
    says = misused if words.startswith(("give", "--column")) else refused
    message = says("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--function", "glu", *options)
    assert words in message
    assert os.listdir(tmp_path) == ["x.parquet"]


def test_one_column_is_given_once(tmp_path: Path) -> None:
    make(tmp_path / "x.parquet", a=[1.0], b=[1.0])
    options = ["--column", "a", "--column", "b"]
    message = misused("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", *options)
    assert message == "Error: give --column once, not twice\n"
