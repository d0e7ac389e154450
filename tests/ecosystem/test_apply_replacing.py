"""`gpu-sigmoid apply`: what an old Zarr array's folder may hold, and file names that pyarrow misreads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.command import done, refused, tree
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.cli import files

zarr = library("zarr")
X = np.linspace(-9, 9, 12)


def make_arrays(folder: Path, **options: object) -> None:
    zarr.create_array(folder / "x.zarr", data=X)
    zarr.create_array(folder / "y.zarr", data=X.reshape(3, 4), chunks=(1, 2), **options)


@pytest.mark.parametrize(
    ("options", "stranger"),
    [
        ({}, "7"),
        ({}, "0.0"),
        ({}, "c/5"),
        ({}, "c/0/0.0"),
        ({}, "c.0.0"),
        ({}, "c/01/0"),
        ({}, "c/2/9/0"),
        ({"zarr_format": 2}, "7"),
        ({"zarr_format": 2}, "c"),
        ({"zarr_format": 2}, "0/0"),
        ({"zarr_format": 2}, "0.0.0"),
    ],
)
def test_numbers_that_name_no_chunk_of_the_array(tmp_path: Path, options: dict, stranger: str) -> None:
    make_arrays(tmp_path, **options)
    path = tmp_path / "y.zarr" / stranger
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("precious")
    before = tree(tmp_path)
    message = refused("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    assert f"but {stranger} in it is not part of one" in message
    assert tree(tmp_path) == before


def test_an_array_with_a_protected_folder_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_arrays(tmp_path)
    inner = tmp_path / "y.zarr" / "c" / "1"
    inner.chmod(0o555)
    if os.geteuid() == 0:
        # root may do what others may not
        access = os.access
        monkeypatch.setattr(os, "access", lambda p, mode: Path(p) != inner and access(p, mode))
    before = tree(tmp_path)
    assert f"{inner} in it is protected" in refused("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    inner.chmod(0o755)
    assert tree(tmp_path) == before


def test_an_old_array_that_cannot_be_removed_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_arrays(tmp_path)
    monkeypatch.setattr(files.shutil, "rmtree", lambda path, ignore_errors: None)
    output = done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    (left,) = set(os.listdir(tmp_path)) - {"x.zarr", "y.zarr"}
    assert f"{tmp_path / left} could not be removed; it can be deleted\n" in output
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr")[:], gs.sigmoid(X))


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("name", ["replaced", "old", "in"])
def test_whatever_a_link_leads_to_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, at_once: bool
) -> None:
    if not at_once:
        monkeypatch.setattr(files, "exchanged", lambda one, other: False)
    make_arrays(tmp_path)
    os.rename(tmp_path / "y.zarr", tmp_path / name)
    (tmp_path / "y.zarr").symlink_to(name)
    done("apply", tmp_path / "x.zarr", tmp_path / "y.zarr")
    assert sorted(os.listdir(tmp_path)) == sorted(["x.zarr", "y.zarr", name])
    np.testing.assert_array_equal(zarr.open_array(tmp_path / name)[:], gs.sigmoid(X))


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's renameat2")
def test_two_folders_are_exchanged_in_one_step(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of {name}").touch()
    if not files.exchanged(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot")
    assert sorted(tree(tmp_path)) == ["a", "a/of b", "b", "b/of a"]
    assert not files.exchanged(tmp_path / "a", tmp_path / "c")


@pytest.mark.parametrize("name", [b"s3:b.parquet", b"file:/b.parquet", b"\xff.parquet", b"a b%20.parquet"])
def test_parquet_files_of_any_name(tmp_path: Path, name: bytes) -> None:
    parquet = library("pyarrow.parquet")
    table = library("pyarrow").table({"x": X})
    parquet.write_table(table, tmp_path / "x.parquet")
    source = os.path.join(os.fsencode(tmp_path), name)
    os.makedirs(os.path.dirname(source), exist_ok=True)
    os.rename(tmp_path / "x.parquet", source)
    # relative: what stands before a colon is then the beginning
    command = [sys.executable, "-m", "gpu_sigmoid", "apply"]
    for one, other in ((name, b"y.parquet"), (b"y.parquet", name)):
        finished = subprocess.run([*command, one, other], cwd=tmp_path, capture_output=True)
        assert finished.returncode == 0, finished.stderr
    with open(source, "rb") as file:
        got = parquet.read_table(file).column(0).to_numpy()
    np.testing.assert_array_equal(got, gs.sigmoid(gs.sigmoid(X)))
