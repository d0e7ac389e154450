"""`gpu-sigmoid apply` on what is large: memory stays bounded, an interrupt leaves nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import start, wait_for_names
from helpers.required import library
from helpers.systems import need_posix

import gpu_sigmoid as gs

need_posix()
zarr, pa, pq = library("zarr"), library("pyarrow"), library("pyarrow.parquet")

MEMORY_TEST = """
import resource, sys
from click.testing import CliRunner
from gpu_sigmoid.cli import main
import gpu_sigmoid as gs, numpy as np, pyarrow.parquet, zarr
gs.sigmoid.value_and_grad(np.zeros(3, np.float32))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
result = CliRunner().invoke(main, ["apply", sys.argv[1], sys.argv[2], "--what", "both"])
assert result.exit_code == 0, result.output
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
MEBIBYTE = 1 << 20


def save(path: Path, x: np.ndarray, size: int) -> None:
    """Save an array in chunks or row groups of a size."""
    if path.suffix == ".npy":
        np.save(path, x)
    elif path.suffix == ".zarr":
        zarr.create_array(path, data=x, chunks=(size,), compressors=None)
    else:
        table = pa.table({"x": x})
        pq.write_table(table, path, row_group_size=size, compression="none", use_dictionary=False)


def values(path: Path) -> np.ndarray:
    if path.suffix == ".npy":
        return np.load(path)
    return zarr.open_array(path)[:] if path.suffix == ".zarr" else pq.read_table(path)["x"].to_numpy()


@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_memory_is_bounded_by_blocks_not_by_the_input(tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.random.default_rng(0).normal(size=64 * MEBIBYTE).astype(np.float32)  # 256 MiB
    save(source, x, MEBIBYTE)
    command = [sys.executable, "-c", MEMORY_TEST, str(source), str(target)]
    environment = {**os.environ, "GPU_SIGMOID_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(result.stdout) * unit < 64 * MEBIBYTE
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
    np.testing.assert_array_equal(values(target), x[:5])
