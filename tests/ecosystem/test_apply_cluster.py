"""`gpu-sigmoid apply` on a Dask cluster: workers that die, a scheduler that is not there."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command import done, misused, refused, start, wait_for_names
from helpers.required import library
from helpers.stores import load, save
from helpers.systems import need_posix

import gpu_sigmoid as gs
from gpu_sigmoid.cli import blocks
from gpu_sigmoid.cli.stores import Job

need_posix()
zarr, pa, pq, distributed = map(library, ("zarr", "pyarrow", "pyarrow.parquet", "distributed"))
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def cluster() -> Any:
    with distributed.LocalCluster(2, processes=True, threads_per_worker=1, dashboard_address=None) as cluster:
        yield cluster


@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_a_killed_worker_loses_nothing(tmp_path: Path, suffix: str, cluster: Any) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.linspace(-20, 20, 48 * MEBIBYTE, dtype=np.float32)
    save(source, x, MEBIBYTE)
    process = start(tmp_path, "apply", source, target, "--scheduler", cluster.scheduler_address)
    wait_for_names(tmp_path, 2, process)
    time.sleep(0.5)
    os.kill(next(iter(cluster.workers.values())).process.process.pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    np.testing.assert_array_equal(load(target), gs.sigmoid(x))


@pytest.mark.parametrize("what", ["value", "both"])
@pytest.mark.parametrize("suffix", ["npy", "zarr", "parquet"])
def test_halves_and_two_columns(tmp_path: Path, suffix: str, what: str, cluster: Any) -> None:
    source, target = tmp_path / f"x.{suffix}", tmp_path / f"y.{suffix}"
    x = np.linspace(-20, 20, 1 << 20, dtype=np.float32).reshape(16, -1)
    a, b = np.hsplit(x, 2)
    if suffix == "npy":
        np.save(source, x)
    elif suffix == "zarr":
        zarr.create_array(source, data=x, chunks=(4, 1 << 12))
    else:
        pq.write_table(pa.table({"a": a.ravel(), "b": b.ravel()}), source, row_group_size=1 << 15)
    options = ("--function", "swiglu", "--what", what, "--scheduler", cluster.scheduler_address)
    done("apply", source, target, *options)
    value, gradients = gs.swiglu.value_and_grad(a, b)
    want = np.stack([value, *gradients]) if what == "both" else value
    if suffix == "parquet":
        columns = [column.to_numpy() for column in pq.read_table(target).columns]
        got = np.stack(columns).reshape(want.shape)
    else:
        got = load(target)
    np.testing.assert_array_equal(got, want)


def test_the_result_is_called_as_it_was_given(tmp_path: Path, cluster: Any) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    process = start(tmp_path, "apply", "x.npy", "y.npy", "--scheduler", cluster.scheduler_address)
    output, errors = process.communicate(timeout=60)
    assert (output, errors) == ("y.npy: value of sigmoid, float64 (3,)\n", "")


def test_what_workers_cannot_read_is_an_error_of_one_line(tmp_path: Path, cluster: Any) -> None:
    zarr.create_array(tmp_path / "x.zarr", data=np.zeros(9), chunks=(3,), fill_value=np.nan)
    (tmp_path / "x.zarr" / "c" / "1").write_bytes(b"no Zstandard")
    process = start(tmp_path, "apply", "x.zarr", "y.zarr", "--scheduler", cluster.scheduler_address)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    assert "x.zarr is not readable at [3:6]" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert os.listdir(tmp_path) == ["x.zarr"]


begun = threading.Event()


class Failing(Job):
    """A job whose first block fails while the second one is being written."""

    blocks = (0, 1)

    def __init__(self, target: Path) -> None:
        self.target = target

    def compute(self, block: Any) -> None:
        if block == 0:
            assert begun.wait(60)
            raise OSError(errno.ENOSPC, "No space left on device")
        begun.set()
        time.sleep(1)
        self.target.mkdir()


def test_after_a_failure_no_worker_goes_on_to_write(tmp_path: Path) -> None:
    job = Failing(tmp_path / "y.zarr")
    # in this process, so that its event reaches the workers
    with distributed.Client(processes=False, threads_per_worker=2, dashboard_address=None) as client:
        with pytest.raises(OSError, match="No space"):
            blocks.run_on_cluster(job, client, lambda: None)
        assert job.target.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_scheduler_dies_meanwhile(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    np.lib.format.open_memmap(folder / "x.npy", "w+", np.float16, (1 << 30,)).flush()
    file = tmp_path / "scheduler.json"
    options: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    dask = [sys.executable, "-m", "dask"]
    ports = ["--port", "0", "--dashboard-address", ":0"]
    scheduler = subprocess.Popen([*dask, "scheduler", "--scheduler-file", file, *ports], **options)
    while not file.exists():
        assert scheduler.poll() is None
        time.sleep(0.05)
    address = json.loads(file.read_text())["address"]
    worker = subprocess.Popen([*dask, "worker", address, "--no-nanny", "--nthreads", "1"], **options)
    try:
        process = start(folder, "apply", "x.npy", "y.npy", "--function", "softplus", "--scheduler", address)
        wait_for_names(folder, 2, process)
        # softplus(0) is not 0, but the unfinished file is until a worker has written its first block
        while not any(path.open("rb").read(1 << 10)[-2:].strip(b"\0") for path in folder.glob("*/**/*.npy")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        scheduler.send_signal(number)
        output, errors = process.communicate(timeout=60)
    finally:
        worker.kill()
        scheduler.kill()
        worker.wait()
        scheduler.wait()
    assert (process.returncode, output) == (1, "")
    assert "the Dask cluster did not compute a block" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert os.listdir(folder) == ["x.npy"]


@pytest.fixture
def deaf() -> Any:
    """Return the address of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


ADDRESSES = [
    "nonsense://here",
    "tcp://",
    "tcp://127.0.0.1:1",
    "tcp://127.0.0.1:99999",
    "::",
    "tls://a:1",
    "x y",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(blocks, "CONNECT_SECONDS", 1)
    np.save(tmp_path / "x.npy", np.zeros(3))
    message = refused("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--scheduler", address)
    assert f"no Dask scheduler at {address}" in message
    assert os.listdir(tmp_path) == ["x.npy"]


def test_no_scheduler_in_a_process_of_its_own(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    process = start(tmp_path, "apply", "x.npy", "y.npy", "--scheduler", "nonsense://here")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, "")
    # Dask's client would print a traceback when the interpreter ends
    assert errors.startswith("Error: no Dask scheduler at nonsense://here")
    assert errors.count("\n") == 1


def test_a_server_that_is_no_scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: str) -> None:
    test_no_scheduler(tmp_path, monkeypatch, deaf)


@pytest.mark.parametrize("address", ["", " "])
def test_no_address(tmp_path: Path, address: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    message = misused("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--scheduler", address)
    assert "--scheduler needs an address such as tcp://HOST:8786" in message
