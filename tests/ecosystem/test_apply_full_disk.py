"""`gpu-sigmoid apply` on a disk that is full: an error of one line, and nothing left on the disk."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import start
from helpers.disks import small_disk_at
from helpers.required import library
from helpers.stores import save
from helpers.systems import need_posix

need_posix()

LIMIT = 1 << 20
# what does not compress
X = np.random.default_rng(0).normal(size=LIMIT // 2).astype(np.float32)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of a mebibyte of its own."""
    with small_disk_at(tmp_path / "disk", LIMIT) as folder:
        yield folder


def limited() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT // 2, LIMIT // 2))


def check_refusal(tmp_path: Path, suffix: str, folder: Path, reason: str, **options: Any) -> None:
    """Check that an older result on the disk stays as it was, alone."""
    save(tmp_path / f"x.{suffix}", X, 1 << 14)
    target = folder / f"y.{suffix}"
    if suffix == "zarr":
        library("zarr").create_array(target, data=np.zeros(3))
    else:
        target.write_text("precious")
    command = ["apply", tmp_path / f"x.{suffix}", target]
    process = start(tmp_path, *command, *options.pop("more", ()), **options)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, output) == (1, "")
    assert (
        errors.splitlines()
        == ["sigmoid", f"Error: cannot write {target}: {reason}"][-len(errors.splitlines()) :]
    )
    assert os.listdir(folder) == [target.name]
    if suffix == "zarr":
        np.testing.assert_array_equal(library("zarr").open_array(target)[:], np.zeros(3))
    else:
        assert target.read_text() == "precious"


@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_a_full_disk(tmp_path: Path, small_disk: Path, suffix: str) -> None:
    check_refusal(tmp_path, suffix, small_disk, "No space left on device")
    # the space that the result took is free again
    (small_disk / "other").write_bytes(bytes(LIMIT - 65536))


@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_a_full_disk_on_a_cluster(tmp_path: Path, small_disk: Path, suffix: str) -> None:
    distributed = library("distributed")
    with distributed.LocalCluster(1, threads_per_worker=1, dashboard_address=None) as cluster:
        more = ("--scheduler", cluster.scheduler_address)
        check_refusal(tmp_path, suffix, small_disk, "No space left on device", more=more)


@pytest.mark.parametrize("suffix", ["npy", "parquet"])
def test_a_limit_of_a_file_s_size(tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    check_refusal(tmp_path, suffix, folder, "File too large", preexec_fn=limited)


def test_file_systems_that_cannot_allocate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu_sigmoid.cli.stores import npy

    for code in npy.NO_ALLOCATION:

        def unsupported(*arguments: Any, code: int = code) -> None:
            raise OSError(code, "not here")

        monkeypatch.setattr(os, "posix_fallocate", unsupported)
        with (tmp_path / "file").open("wb") as file:
            npy.allocate(file.fileno(), 12345)
        assert (tmp_path / "file").stat().st_size == 12345
