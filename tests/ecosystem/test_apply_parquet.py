"""`gpu-sigmoid apply` on columns of Parquet files."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, refused, run, tree
from helpers.required import library

import gpu_sigmoid as gs

pa, pq = library("pyarrow"), library("pyarrow.parquet")

FLOATS = ["float16", "float32", "float64"]
NUMBERS = [*FLOATS, "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"]


def make_parquet(path: Path, rows: int = 5, **columns: Any) -> None:
    pq.write_table(pa.table(columns), path, row_group_size=rows)


def make_duplicates(path: Path) -> None:
    pq.write_table(pa.table([[1.0], [2.0]], names=["a", "a"]), path)


@pytest.mark.parametrize("what", ["value", "grad", "both"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_parquet(tmp_path: Path, dtype: str, what: str) -> None:
    x = np.linspace(-20, 20, 23).astype(dtype)
    make_parquet(tmp_path / "x.parquet", logit=x, other=["a"] * 23)
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--column", "logit", "--what", what)
    table = pq.read_table(tmp_path / "y.parquet")
    want = {"sigmoid": gs.sigmoid(x), "sigmoid.grad": gs.sigmoid.grad(x)}
    names = {"value": ["sigmoid"], "grad": ["sigmoid.grad"]}.get(what, list(want))
    assert table.column_names == names
    assert pq.ParquetFile(tmp_path / "y.parquet").num_row_groups == 5
    for name in names:
        got = table[name].to_numpy()
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(got, want[name])


def test_numbers_beside_a_column(tmp_path: Path) -> None:
    x = np.linspace(-20, 20, 23, dtype=np.float32)
    make_parquet(tmp_path / "x.parquet", x=x)
    numbers = ("--target", 0.25, "--pos-weight", 3)
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--function", "bce_with_logits", *numbers)
    table = pq.read_table(tmp_path / "y.parquet")
    assert table.column_names == ["bce_with_logits"]
    want = gs.bce_with_logits(x, 0.25, pos_weight=3)
    np.testing.assert_array_equal(table["bce_with_logits"].to_numpy(), want)


@pytest.mark.parametrize("dtype", NUMBERS)
def test_nulls_stay_null_and_the_rest_is_as_without_them(tmp_path: Path, dtype: str) -> None:
    x = np.array([1, 0, 0, 1, 5]).astype(dtype)
    missing = np.array([False, True, True, False, False])
    make_parquet(tmp_path / "x.parquet", rows=2, x=pa.array(x, mask=missing))
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--what", "both")
    table = pq.read_table(tmp_path / "y.parquet")
    want = gs.sigmoid.value_and_grad(x[~missing])
    for name, values in zip(("sigmoid", "sigmoid.grad"), want, strict=True):
        assert table[name].type == pa.from_numpy_dtype(values.dtype)
        np.testing.assert_array_equal(np.asarray(table[name].is_null()), missing)
        np.testing.assert_array_equal(table[name].drop_null().to_numpy(), values)


def test_no_rows(tmp_path: Path) -> None:
    make_parquet(tmp_path / "x.parquet", x=pa.array([], pa.float32()))
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet")
    assert pq.read_table(tmp_path / "y.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["x", "x.y", "/etc/passwd", "../x", "", "a b", "ä"])
def test_a_column_is_the_one_of_that_name(tmp_path: Path, name: str) -> None:
    # x.y is also how pyarrow names the field y of a struct x
    columns = {
        "x.y": [1.0],
        "x": [2.0],
        "/etc/passwd": [3.0],
        "../x": [4.0],
        "": [5.0],
        "a b": [6.0],
        "ä": [7.0],
    }
    make_parquet(tmp_path / "x.parquet", **columns)
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--column", name)
    got = pq.read_table(tmp_path / "y.parquet")["sigmoid"].to_numpy()
    np.testing.assert_array_equal(got, gs.sigmoid(np.array(columns[name])))


@pytest.mark.parametrize(
    ("make", "column", "words"),
    [
        (lambda p: p.write_bytes(b"PAR1junk"), [], "not a readable Parquet file"),
        (lambda p: p.write_bytes(b""), [], "not a readable Parquet file"),
        (lambda p: p.mkdir(), [], "is not a file; a single .parquet file is accepted"),
        (lambda p: make_parquet(p, a=[1.0], b=[2.0]), [], "choose one with --column; it has 'a', 'b'"),
        (
            lambda p: make_parquet(p, a=[1.0], b=[2.0]),
            ["--column", "c"],
            "has no column 'c'; it has 'a', 'b'",
        ),
        (lambda p: make_parquet(p, a=[1.0]), ["--column", "c"], "has no column 'c'; it has 'a'"),
        (lambda p: make_parquet(p, a=[1.0]), ["--column", ""], "has no column ''; it has 'a'"),
        (lambda p: make_parquet(p, a=[1.0]), ["--column", "/a/../a"], "has no column '/a/../a'"),
        (make_duplicates, ["--column", "a"], "has 2 columns called 'a'"),
        (make_duplicates, [], "has 2 columns"),
        (lambda p: pq.write_table(pa.table({}), p), [], "has 0 columns"),
        (lambda p: make_parquet(p, a=["text"]), [], "column a is of type string"),
        (lambda p: make_parquet(p, a=[None]), [], "column a is of type null"),
        (lambda p: make_parquet(p, a=[{"b": 1.0}]), [], "column a is of type struct"),
        (lambda p: make_parquet(p, a=[{"b": 1.0}]), ["--column", "a.b"], "has no column 'a.b'"),
    ],
)
def test_refusals(tmp_path: Path, make: Any, column: list[str], words: str) -> None:
    make(tmp_path / "x.parquet")
    message = refused("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", *column)
    assert words in message
    assert "x.parquet" in message
    assert os.listdir(tmp_path) == ["x.parquet"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p.symlink_to("x.parquet"), "it is the input"),
        (lambda p: (p / "part-0").mkdir(parents=True), "it is a folder"),
    ],
)
def test_what_is_never_replaced(tmp_path: Path, make: Any, words: str) -> None:
    make_parquet(tmp_path / "x.parquet", x=[1.0])
    make(tmp_path / "y.parquet")
    before = tree(tmp_path)
    assert words in refused("apply", tmp_path / "x.parquet", tmp_path / "y.parquet")
    assert tree(tmp_path) == before


def test_a_page_that_no_longer_agrees_with_its_checksum(tmp_path: Path) -> None:
    x = np.arange(1000.0)
    options = {"compression": "none", "use_dictionary": False}
    pq.write_table(pa.table({"x": x}), tmp_path / "x.parquet", write_page_checksum=True, **options)
    content = bytearray((tmp_path / "x.parquet").read_bytes())
    content[content.index(x[500].tobytes())] ^= 1
    (tmp_path / "x.parquet").write_bytes(content)
    result = run("apply", tmp_path / "x.parquet", tmp_path / "y.parquet")
    assert result.exit_code == 1
    assert "x.parquet is not readable in row group 0" in result.output
    assert "CRC" in result.output
    assert os.listdir(tmp_path) == ["x.parquet"]


def test_the_result_has_checksums(tmp_path: Path) -> None:
    make_parquet(tmp_path / "x.parquet", rows=1000, x=np.arange(1000.0))
    done("apply", tmp_path / "x.parquet", tmp_path / "y.parquet")
    content = bytearray((tmp_path / "y.parquet").read_bytes())
    content[len(content) // 3] ^= 1
    (tmp_path / "y.parquet").write_bytes(content)
    with pytest.raises(OSError, match="CRC"):
        pq.ParquetFile(tmp_path / "y.parquet", page_checksum_verification=True).read()
