"""Outputs: whole or not at all when a signal comes, a disk is full, or one of several cannot be replaced."""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.command import refused, run, start, tree
from helpers.disks import small_disk_at
from helpers.processes import printed, python
from helpers.systems import SIGNALS

import gpu_sigmoid as gs
from bench import charts, report
from bench.command import main as bench_main
from gpu_sigmoid.cli import files

BENCH = [
    "--function=sigmoid",
    "--mode=value",
    "--dtype=float32",
    "--size=1000",
    "--peer=numpy",
    "--rounds=3",
]
DISK = 16384
NAMES = ["throughput-cpu.json", "throughput-cpu.md"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a disk of DISK bytes of its own."""
    with small_disk_at(tmp_path / "disk", DISK) as folder:
        yield folder


def bench(folder: Path) -> str:
    """Return what the benchmark says that cannot write."""
    result = CliRunner().invoke(bench_main, [*BENCH, "-o", str(folder)])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1, result.output
    return result.output.splitlines()[-1]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("command", ["verify", "bench"])
def test_a_signal_while_a_report_is_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, command: str
) -> None:
    from gpu_sigmoid.verify import report as of_verify

    written = []

    def write(path: Path, content: Any) -> None:
        path.write_text("half a report")
        written.append(path)
        signal.raise_signal(number)

    monkeypatch.setattr(of_verify, "write", write)
    monkeypatch.setattr(report, "write", write)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / NAMES[0]).write_text("precious")
    before = tree(tmp_path)
    # were it not heeded, the default would end this process
    previous = signal.signal(number, lambda *_: pytest.fail("not heeded"))
    try:
        if command == "verify":
            options = ("sigmoid", "--mode=value", "--dtype=float16", "--jobs=1", "--json")
            result = run("verify", *options, tmp_path / "a.json")
        else:
            result = CliRunner().invoke(bench_main, [*BENCH, "-o", str(tmp_path / "folder")])
    finally:
        signal.signal(number, previous)
    assert result.exit_code == 128 + number
    assert result.output.endswith("interrupted\n")
    assert len(written) == 1
    assert tree(tmp_path) == before


def test_one_of_several_outputs_that_fails_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "draw", lambda content, made, place: (made / "a.png").write_text("new"))
    for name in NAMES:
        (tmp_path / name).write_text(f"old {name}")
    before = tree(tmp_path)
    take_place = files.take_place

    def failing(new: Path, target: Path) -> None:
        if target.name == NAMES[-1]:
            raise OSError(16, "Device or resource busy")
        take_place(new, target)

    monkeypatch.setattr(files, "take_place", failing)
    assert bench(tmp_path) == f"Error: cannot write {tmp_path / NAMES[-1]}: Device or resource busy"
    assert tree(tmp_path) == before
    # the folders made for it are gone with it
    assert "busy" in bench(tmp_path / "a" / "b")
    assert tree(tmp_path) == before


def test_an_output_linked_to_another_disk_is_replaced_there(tmp_path: Path, small_disk: Path) -> None:
    (small_disk / "page").write_text("old")
    (tmp_path / NAMES[1]).symlink_to(small_disk / "page")
    result = CliRunner().invoke(bench_main, [*BENCH, "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (small_disk / "page").read_text(encoding="utf-8").startswith("# Throughput")
    assert sorted(tree(tmp_path)) == ["disk", "disk/page", *NAMES]
    # full, it keeps what it has, as the others do
    (small_disk / "page").write_bytes(bytes(DISK))
    before = tree(tmp_path)
    assert bench(tmp_path) == f"Error: cannot write {tmp_path / NAMES[1]}: No space left on device"
    assert tree(tmp_path) == before


def test_a_benchmark_on_a_full_disk(small_disk: Path) -> None:
    (small_disk / "fill").write_bytes(bytes(DISK))
    folder = small_disk / "new"
    assert bench(folder) == f"Error: cannot write {folder}: No space left on device"
    assert os.listdir(small_disk) == ["fill"]


@pytest.mark.parametrize("suffix", ["pdf", "svg", "jpg", "png"])
def test_a_figure_on_a_full_disk(small_disk: Path, suffix: str) -> None:
    (small_disk / "fill").write_bytes(bytes(DISK - (4096 if suffix == "jpg" else 0)))
    path = small_disk / f"a.{suffix}"
    assert refused("plot", "-o", path) == f"Error: cannot write {path}: No space left on device\n"
    assert os.listdir(small_disk) == ["fill"]


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's shared libraries")
def test_too_little_memory_to_load_the_compiler(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(9))
    script = (
        "import resource\nfrom gpu_sigmoid.cli import main\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (32 << 20), -1))\n"
        "main(['apply', 'x.npy', 'y.npy'])"
    )
    process = python("-c", script, cwd=tmp_path)
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1, process.stderr
    assert "not enough memory: " in process.stderr
    assert os.listdir(tmp_path) == ["x.npy"]


def test_where_no_thread_can_be_started_blocks_are_computed_here(tmp_path: Path) -> None:
    x = np.linspace(-9, 9, 3_000_000)
    np.save(tmp_path / "x.npy", x)
    # more than there is room for
    script = (
        "import threading\nfrom gpu_sigmoid.cli import main\n"
        "threading.stack_size(1 << 46)\nmain(['apply', 'x.npy', 'y.npy', '--what', 'both'])"
    )
    printed("-c", script, cwd=tmp_path, GPU_SIGMOID_NUM_THREADS=2)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), gs.sigmoid.value_and_grad(x))


def test_an_array_of_as_many_dimensions_as_numpy_has(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1,) * 64))
    message = refused("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--what", "both")
    assert "x.npy has 64 dimensions, NumPy's limit" in message
    assert os.listdir(tmp_path) == ["x.npy"]
    assert run("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--what", "grad").exit_code == 0
    assert np.load(tmp_path / "y.npy").item() == 0.25
    np.save(tmp_path / "x.npy", np.zeros((1,) * 63))
    assert run("apply", tmp_path / "x.npy", tmp_path / "y.npy", "--what", "both").exit_code == 0
    assert np.load(tmp_path / "y.npy").ravel().tolist() == [0.5, 0.25]


def test_help_is_shown_in_any_environment(tmp_path: Path) -> None:
    environment = {**os.environ, "GPU_SIGMOID_NUM_THREADS": "junk"}
    process = start(tmp_path, "apply", "--help", env=environment)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.startswith("Usage: gpu-sigmoid apply ")


def test_what_is_measured_is_alone_on_standard_output(tmp_path: Path) -> None:
    process = start(tmp_path, "verify", "sigmoid", "--mode=value", "--dtype=float16", "--jobs=1")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.split()[0] == "points"


@pytest.mark.skipif(os.name != "posix", reason="replaces what only POSIX has")
@pytest.mark.parametrize("is_refused", [False, True])
def test_on_macos_a_result_is_on_the_disk_by_more_than_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    import fcntl

    calls = []

    def control(file: int, operation: int) -> None:
        calls.append(("fcntl", operation))
        if is_refused:
            raise OSError(errno.ENOTSUP, "not supported")

    (tmp_path / "result").write_bytes(b"result")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr(os, "fsync", lambda file: calls.append("fsync"))
    files.synced(tmp_path / "result")
    assert calls == [("fcntl", 51), *(["fsync"] if is_refused else [])]
