"""The processes of `gpu-sigmoid verify`: they end with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.command import start
from helpers.systems import SIGNALS

LINUX = sys.platform == "linux"
pytestmark = pytest.mark.skipif(not LINUX, reason="children are looked up in /proc")


Measures = tuple[subprocess.Popen, list[int]]


def children(process: subprocess.Popen) -> list[int]:
    return [int(n) for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def measuring(pid: int) -> bool:
    """Return whether a process is one that measures, and not a zombie."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


@pytest.fixture
def measures(tmp_path: Path) -> Iterator[Measures]:
    """Start what takes hours, and return it with its processes once they are at work."""
    process = start(tmp_path, "verify", "--exhaustive", "--jobs", 2)
    try:
        while len(workers := list(filter(measuring, children(process)))) < 2:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        yield process, workers
    finally:
        process.kill()


def wait_for_end(workers: list[int]) -> None:
    until = time.monotonic() + 30
    while any(map(measuring, workers)):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("delay", [0, 5], ids=["starting", "measuring"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_all(measures: Measures, number: signal.Signals, delay: int) -> None:
    process, workers = measures
    time.sleep(delay)
    # a terminal sends Ctrl-C to all
    for pid in [process.pid, *workers] if number == signal.SIGINT else [process.pid]:
        os.kill(pid, number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    wait_for_end(workers)


def test_they_end_when_it_is_killed(measures: Measures) -> None:
    process, workers = measures
    time.sleep(5)
    process.kill()
    process.wait()
    wait_for_end(workers)
    process.communicate()


def test_one_that_is_killed_is_an_error_of_one_line(measures: Measures) -> None:
    process, workers = measures
    time.sleep(5)
    os.kill(workers[0], signal.SIGKILL)
    output, errors = process.communicate(timeout=30)
    assert (process.returncode, output) == (1, "")
    assert errors == "Error: a measuring process was killed, perhaps because memory ran out\n"
    wait_for_end(workers)
