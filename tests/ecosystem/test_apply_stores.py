"""`gpu-sigmoid apply` on Zarr and Parquet, within bounded memory, and on a Dask cluster."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from required import library

import gpu_sigmoid as gs
from gpu_sigmoid.cli import main

zarr, pa, pq = library("zarr"), library("pyarrow"), library("pyarrow.parquet")

FLOATS = ["float16", "float32", "float64"]


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def values(dtype: str, shape: tuple[int, ...] = (7, 10)) -> np.ndarray:
    return np.linspace(-20, 20, int(np.prod(shape))).reshape(shape).astype(dtype)


def make_zarr(path: Path, x: np.ndarray, **options: Any) -> None:
    zarr.create_array(path, shape=x.shape, dtype=x.dtype, chunks=(3, 4), **options)[:] = x


def make_parquet(path: Path, rows: int = 5, **columns: Any) -> None:
    pq.write_table(pa.table(columns), path, row_group_size=rows)


@pytest.mark.parametrize("options", [{}, {"zarr_format": 2}, {"shards": (6, 8)}], ids=["v3", "v2", "shards"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_zarr(tmp_path: Path, dtype: str, options: dict) -> None:
    x = values(dtype)
    make_zarr(tmp_path / "x.zarr", x, **options)
    assert run("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--function", "silu").exit_code == 0
    y = zarr.open_array(tmp_path / "y.zarr", mode="r")
    assert (y.dtype, y.chunks, y.shards) == (x.dtype, (3, 4), options.get("shards"))
    np.testing.assert_array_equal(y[:], gs.silu(x))
    assert run("apply", tmp_path / "x.zarr", tmp_path / "y.zarr", "--what", "both").exit_code == 0
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr")[:], gs.sigmoid.value_and_grad(x))
    assert sorted(os.listdir(tmp_path)) == ["x.zarr", "y.zarr"]


def test_zarr_group(tmp_path: Path) -> None:
    x = values("float32")
    zarr.open_group(tmp_path / "g.zarr", mode="w").create_array("logits", data=x)
    wanted = run("apply", tmp_path / "g.zarr", tmp_path / "y.zarr")
    assert wanted.exit_code == 1
    assert "name one of its arrays by --column: logits" in wanted.output
    assert "has no array x" in run("apply", tmp_path / "g.zarr", tmp_path / "y.zarr", "--column", "x").output
    assert run("apply", tmp_path / "g.zarr", tmp_path / "y.zarr", "--column", "logits").exit_code == 0
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "y.zarr")[:], gs.sigmoid(x))


@pytest.mark.parametrize("what", ["value", "grad", "both"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_parquet(tmp_path: Path, dtype: str, what: str) -> None:
    x = values(dtype, (23,))
    make_parquet(tmp_path / "x.parquet", logit=x, other=["a"] * 23)
    result = run("apply", tmp_path / "x.parquet", tmp_path / "y.parquet", "--column", "logit", "--what", what)
    assert result.exit_code == 0, result.output
    table = pq.read_table(tmp_path / "y.parquet")
    want = {"sigmoid": gs.sigmoid(x), "sigmoid.grad": gs.sigmoid.grad(x)}
    names = {"value": ["sigmoid"], "grad": ["sigmoid.grad"]}.get(what, list(want))
    assert table.column_names == names
    assert pq.ParquetFile(tmp_path / "y.parquet").num_row_groups == 5
    for name in names:
        got = table[name].to_numpy()
        assert got.dtype == x.dtype
        np.testing.assert_array_equal(got, want[name])


def test_parquet_nulls_stay_null_and_integers_become_float64(tmp_path: Path) -> None:
    make_parquet(tmp_path / "x.parquet", rows=2, x=pa.array([1, None, None, 4, 5]))
    assert run("apply", tmp_path / "x.parquet", tmp_path / "y.parquet").exit_code == 0
    got = pq.read_table(tmp_path / "y.parquet")["sigmoid"]
    assert got.type == pa.float64()
    assert [v is None for v in got.to_pylist()] == [False, True, True, False, False]
    np.testing.assert_array_equal(got.drop_null().to_numpy(), gs.sigmoid(np.array([1, 4, 5])))


def test_parquet_of_no_rows(tmp_path: Path) -> None:
    make_parquet(tmp_path / "x.parquet", x=pa.array([], pa.float32()))
    assert run("apply", tmp_path / "x.parquet", tmp_path / "y.parquet").exit_code == 0
    assert pq.read_table(tmp_path / "y.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("x.parquet", lambda p: p.write_bytes(b"PAR1junk"), "not a readable Parquet file"),
        ("x.parquet", lambda p: make_parquet(p, a=[1.0], b=[2.0]), "choose one by --column; it has a, b"),
        ("x.parquet", lambda p: make_parquet(p, a=["text"]), "column a is of type string"),
        ("x.zarr", lambda p: p.mkdir(), "not a readable Zarr array"),
        ("x.zarr", lambda p: make_zarr(p, values("complex64")), "complex64 is not accepted"),
        ("x.csv", lambda p: p.write_text("1"), "accepted are .npy, .zarr, .parquet"),
    ],
)
def test_refusals(tmp_path: Path, name: str, make: Any, words: str) -> None:
    make(tmp_path / name)
    result = run("apply", tmp_path / name, tmp_path / f"y{Path(name).suffix}")
    assert result.exit_code == 1
    assert words in result.output
    assert os.listdir(tmp_path) == [name]


def test_suffixes_agree_and_columns_are_for_what_has_them(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    assert "is to have the suffix" in run("apply", tmp_path / "x.npy", tmp_path / "y.zarr").output
    assert "--column is for" in run("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--column", "a").output


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


@pytest.mark.parametrize("suffix", ["zarr", "parquet"])
def test_memory_is_bounded_by_blocks_not_by_the_input(tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.random.default_rng(0).normal(size=64 * MEBIBYTE).astype(np.float32)  # 256 MiB
    if suffix == "zarr":
        zarr.create_array(source, data=x, chunks=(MEBIBYTE,), compressors=None)
    else:
        table = pa.table({"x": x})
        pq.write_table(table, source, row_group_size=MEBIBYTE, compression="none", use_dictionary=False)
    command = [sys.executable, "-c", MEMORY_TEST, str(source), str(target)]
    environment = {**os.environ, "GPU_SIGMOID_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(result.stdout) * unit < 64 * MEBIBYTE
    if suffix == "zarr":
        np.testing.assert_array_equal(zarr.open_array(target)[0, -MEBIBYTE:], gs.sigmoid(x[-MEBIBYTE:]))
    else:
        last = pq.ParquetFile(target).read_row_group(63)["sigmoid"].to_numpy()
        np.testing.assert_array_equal(last, gs.sigmoid(x[-MEBIBYTE:]))


@pytest.mark.parametrize("suffix", ["zarr", "parquet"])
def test_an_interrupt_leaves_the_target_as_it_was(tmp_path: Path, suffix: str) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.zeros(32 * MEBIBYTE, np.float32)
    if suffix == "zarr":
        zarr.create_array(source, data=x, chunks=(MEBIBYTE // 8,))
        zarr.create_array(target, data=x[:5])
    else:
        make_parquet(source, rows=MEBIBYTE // 8, x=x)
        make_parquet(target, x=x[:5])
    process = subprocess.Popen(
        [sys.executable, "-m", "gpu_sigmoid", "apply", source, target, "--function", "softplus"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while len(os.listdir(tmp_path)) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 128 + signal.SIGINT
    assert b"interrupted" in errors
    assert sorted(os.listdir(tmp_path)) == sorted([source.name, target.name])
    kept = zarr.open_array(target)[:] if suffix == "zarr" else pq.read_table(target)["x"].to_numpy()
    np.testing.assert_array_equal(kept, x[:5])


@pytest.fixture(scope="module")
def cluster() -> Any:
    distributed = library("distributed")
    with distributed.LocalCluster(2, processes=True, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_on_a_cluster_a_killed_worker_loses_nothing(tmp_path: Path, suffix: str, cluster: Any) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.linspace(-20, 20, 48 * MEBIBYTE, dtype=np.float32)
    if suffix == "npy":
        np.save(source, x)
    elif suffix == "zarr":
        zarr.create_array(source, data=x, chunks=(MEBIBYTE,), compressors=None)
    else:
        make_parquet(source, rows=MEBIBYTE, x=x)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gpu_sigmoid",
            "apply",
            source,
            target,
            "--scheduler",
            cluster.scheduler_address,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while len(os.listdir(tmp_path)) < 2:
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        time.sleep(0.01)
    time.sleep(0.5)
    os.kill(next(iter(cluster.workers.values())).process.process.pid, signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    got = {
        "npy": lambda: np.load(target),
        "zarr": lambda: zarr.open_array(target)[:],
        "parquet": lambda: pq.read_table(target)["sigmoid"].to_numpy(),
    }[suffix]()
    np.testing.assert_array_equal(got, gs.sigmoid(x))


def test_no_scheduler(tmp_path: Path) -> None:
    library("distributed")
    np.save(tmp_path / "x.npy", np.zeros(3))
    result = run("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--scheduler", "nonsense://here")
    assert result.exit_code == 1
    assert "no Dask scheduler at nonsense://here" in result.output
