"""`gpu-sigmoid apply` on what is large: memory stays bounded, an interrupt leaves nothing."""

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import start, wait_for_names
from helpers.processes import memory_of_command
from helpers.required import library
from helpers.stores import load, save
from helpers.systems import need_posix

import gpu_sigmoid as gs

need_posix()
zarr, pq = library("zarr"), library("pyarrow.parquet")

MEBIBYTE = 1 << 20


@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_memory_is_bounded_by_blocks_not_by_the_input(tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.random.default_rng(0).normal(size=64 * MEBIBYTE).astype(np.float32)  # 256 MiB
    save(source, x, MEBIBYTE)
    first = "import pyarrow.parquet, zarr; gs.sigmoid.value_and_grad(np.zeros(3, np.float32))"
    command = ("apply", source, target, "--what", "both")
    assert memory_of_command(first, *command, ARROW_DEFAULT_MEMORY_POOL="system") < 64 * MEBIBYTE
    want = gs.sigmoid(x[-MEBIBYTE:])
    if suffix == "parquet":
        got = pq.ParquetFile(target).read_row_group(63)["sigmoid"].to_numpy()
    else:
        opened: Any = np.load(target, mmap_mode="r") if suffix == "npy" else zarr.open_array(target)
        got = opened[0, -MEBIBYTE:]
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("suffix", ["zarr", "parquet"])
def test_an_interrupt_leaves_the_target_as_it_was(
    tmp_path: Path, suffix: str, number: signal.Signals
) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.zeros(32 * MEBIBYTE, np.float32)
    save(source, x, MEBIBYTE // 8)
    save(target, x[:5], 5)
    process = start(tmp_path, "apply", source, target, "--function", "softplus")
    wait_for_names(tmp_path, 3, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert errors.endswith("interrupted\n")
    assert sorted(os.listdir(tmp_path)) == sorted([source.name, target.name])
    np.testing.assert_array_equal(load(target), x[:5])
