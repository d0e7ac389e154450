"""Which folders `gpu-sigmoid apply` replaces by a Zarr array: arrays, and nothing else."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, refused, run, tree
from helpers.required import library

import gpu_sigmoid as gs

zarr = library("zarr")

X = np.linspace(-9, 9, 12)


@pytest.fixture(params=[2, 3])
def version(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def folder(tmp_path: Path, version: int) -> Path:
    """Return a folder with the array x.zarr, and the group g.zarr with arrays a and b and a group s."""
    make_array(tmp_path / "x.zarr", version)
    group = zarr.open_group(tmp_path / "g.zarr", mode="w", zarr_format=version)
    for name in ("a", "b"):
        group.create_array(name, data=X, chunks=(5,))
    group.create_group("s.zarr")
    return tmp_path


def make_array(path: Path, version: int) -> None:
    zarr.create_array(path, shape=X.shape, dtype="f4", chunks=(5,), zarr_format=version)[:] = 1


def refused_and_kept(folder: Path, source: str, target: str, *column: str) -> str:
    before = tree(folder)
    message = refused("apply", folder / source, f"{folder}/{target}", *column)
    assert tree(folder) == before
    return message


def test_the_input_and_what_holds_it(folder: Path) -> None:
    assert "it is the input" in refused_and_kept(folder, "x.zarr", "x.zarr")
    assert "it is the input" in refused_and_kept(folder, "x.zarr", "g.zarr/../x.zarr")
    (folder / "link.zarr").symlink_to("x.zarr")
    assert "it is the input" in refused_and_kept(folder, "x.zarr", "link.zarr")
    assert "it is the input" in refused_and_kept(folder, "link.zarr", "x.zarr")
    assert "it contains the input" in refused_and_kept(folder, "g.zarr", "g.zarr", "--column", "a")
    os.rename(folder / "g.zarr" / "a", folder / "g.zarr" / "a.zarr")
    assert "it is the input" in refused_and_kept(folder, "g.zarr", "g.zarr/a.zarr", "--column", "a.zarr")
    (folder / "g.zarr" / "c").symlink_to(folder / "x.zarr")
    assert "it is the input" in refused_and_kept(folder, "g.zarr", "x.zarr", "--column", "c")
    (folder / "all.zarr").mkdir()
    os.rename(folder / "x.zarr", folder / "all.zarr" / "x.zarr")
    assert "it contains the input" in refused_and_kept(folder, "all.zarr/x.zarr", "all.zarr")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("g.zarr", "it is a folder but not a Zarr array"),
        ("g.zarr/s.zarr", "it is a folder but not a Zarr array"),
        ("empty.zarr", "it is a folder but not a Zarr array"),
        ("full.zarr", "it is a folder but not a Zarr array"),
        ("file.zarr", "it is a file"),
        ("x.zarr/y.zarr", "x.zarr is a Zarr array; write outside it"),
        ("x.zarr/c/y.zarr", "does not exist"),
        ("no/y.zarr", "no does not exist"),
        (".", "must end in .zarr"),
        ("..", "must end in .zarr"),
    ],
)
def test_what_is_never_replaced_or_put_into(folder: Path, version: int, target: str, words: str) -> None:
    (folder / "empty.zarr").mkdir()
    (folder / "full.zarr").mkdir()
    (folder / "full.zarr" / "precious").write_text("thesis")
    (folder / "file.zarr").write_text("precious")
    if version == 3 and target == "x.zarr/c/y.zarr":
        words = "x.zarr is a Zarr array"
    assert words in refused_and_kept(folder, "x.zarr", target)


@pytest.mark.parametrize(
    "stranger", ["notes.txt", "c/notes.txt", "1x", "-1", ".zgroup", "0/.zarray", "c.zarr"]
)
def test_an_array_s_folder_with_something_else_in_it(folder: Path, version: int, stranger: str) -> None:
    make_array(folder / "y.zarr", version)
    path = folder / "y.zarr" / stranger
    if not path.parent.is_dir():
        path.parent.unlink(missing_ok=True)
        path.parent.mkdir()
    path.write_text("{}")
    assert f"{stranger} in it is not part of one" in refused_and_kept(folder, "x.zarr", "y.zarr")
    path.unlink()
    path.symlink_to("/etc")
    assert f"{stranger} in it is not part of one" in refused_and_kept(folder, "x.zarr", "y.zarr")


def test_a_folder_that_only_looks_like_an_array(folder: Path, version: int) -> None:
    make_array(folder / "y.zarr", version)
    name = "zarr.json" if version == 3 else ".zarray"
    for content in ("", "[]", "5", "{}", '{"node_type": "group"}', "[" * 100_000):
        (folder / "y.zarr" / name).write_text(content)
        assert "not a Zarr array" in refused_and_kept(folder, "x.zarr", "y.zarr")


def test_the_current_folder(folder: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    make_array(folder / "y.zarr", version)
    monkeypatch.chdir(folder / "y.zarr")
    assert "it is the current folder" in refused_and_kept(folder, "x.zarr", "y.zarr")


@pytest.mark.parametrize("separator", [".", "/"])
@pytest.mark.parametrize("x", [X.reshape(3, 4), np.array(1.0)], ids=["2-d", "0-d"])
def test_arrays_are_replaced_whatever_their_chunks_are_called(
    folder: Path, version: int, separator: str, x: np.ndarray
) -> None:
    for encoding in ("v2", "default") if version == 3 else ("v2",):
        array = zarr.create_array(
            folder / "y.zarr",
            shape=x.shape,
            dtype="f8",
            chunks=(2, 2)[: x.ndim],
            zarr_format=version,
            chunk_key_encoding={"name": encoding, "separator": separator},
            attributes={"a": 1},
            overwrite=True,
        )
        array[...] = x
        done("apply", folder / "x.zarr", folder / "y.zarr")
        np.testing.assert_array_equal(zarr.open_array(folder / "y.zarr")[:], gs.sigmoid(np.float32(1)))
        assert sorted(os.listdir(folder)) == ["g.zarr", "x.zarr", "y.zarr"]


def test_an_array_in_a_group_is_replaced_and_its_siblings_stay(folder: Path) -> None:
    before = tree(folder / "g.zarr")
    for _ in range(2):
        done("apply", folder / "g.zarr", folder / "g.zarr" / "y.zarr", "--column", "a")
        after = tree(folder / "g.zarr")
        assert before == {k: v for k, v in after.items() if not k.startswith("y.zarr")}
        group = zarr.open_group(folder / "g.zarr", mode="r")
        np.testing.assert_array_equal(group["y.zarr"][:], gs.sigmoid(X))


@pytest.mark.filterwarnings("ignore:Consolidated metadata")
def test_a_group_whose_metadata_would_become_stale(folder: Path) -> None:
    zarr.consolidate_metadata(folder / "g.zarr")
    message = refused_and_kept(folder, "x.zarr", "g.zarr/y.zarr")
    assert "g.zarr has consolidated metadata" in message


def test_a_link_is_followed(folder: Path, version: int) -> None:
    make_array(folder / "old", version)
    (folder / "y.zarr").symlink_to("old")
    done("apply", folder / "x.zarr", folder / "y.zarr")
    assert os.readlink(folder / "y.zarr") == "old"
    np.testing.assert_array_equal(zarr.open_array(folder / "old")[:], gs.sigmoid(np.float32(1)))


def test_what_takes_the_target_s_place_meanwhile_is_kept(
    folder: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpu_sigmoid.cli.stores.zarr import ZarrJob

    make_array(folder / "y.zarr", version)

    def intrude(self: Any) -> None:
        (folder / "y.zarr" / "precious").write_text("thesis")

    monkeypatch.setattr(ZarrJob, "close", intrude)
    result = run("apply", folder / "x.zarr", folder / "y.zarr")
    assert result.exit_code == 1
    assert "precious in it is not part of one" in result.output
    assert (folder / "y.zarr" / "precious").read_text() == "thesis"
    assert sorted(os.listdir(folder)) == ["g.zarr", "x.zarr", "y.zarr"]
