"""`gpu-sigmoid bench`: the throughput on this machine."""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.command import done, refused, run

import gpu_sigmoid as gs
from gpu_sigmoid import environment, machine

# the package has a command of the same name
command: Any = importlib.import_module("gpu_sigmoid.cli.bench")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SAMPLE_SECONDS", 1e-4)
    monkeypatch.setattr(environment, "_threads", None)  # which the command sets


def test_every_function_on_one_thread_and_on_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.set_num_threads(3)
    text = done("bench", "--size", 100, "--size", 200, "--dtype", "float32", "--json", tmp_path / "a.json")
    assert gs.get_num_threads() == 3
    rows = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert {row["function"] for row in rows} == set(gs.FUNCTIONS)
    assert [row["threads"] for row in rows] == sorted(row["threads"] for row in rows)
    assert {row["threads"] for row in rows} - {0} == {1, 3}
    assert all(row["gigabytes_per_second"] > 0 and row["copy_gigabytes_per_second"] > 0 for row in rows)
    assert all(row["device"] and row["date"] and row["versions"]["numpy"] == np.__version__ for row in rows)
    assert len(text.splitlines()) == 1 + len(rows)


def test_small_rates_are_not_rounded_to_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "host_seconds", lambda call, number: number * 1e-3)
    text = done("bench", "--function", "sigmoid", "--dtype", "float64", "--size", 1, "--size", 10_000_000)
    small, large = [line.split()[-2:] for line in text.splitlines()[1:3]]
    assert (small, large) == (["1.6e-05", "1.6e-05"], ["160.00", "160.00"])


def test_control_c_ends_it_as_it_ends_other_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measured", interrupted)
    result = run("bench")
    assert result.exit_code == 130
    assert result.output.endswith("\ninterrupted\n")


def test_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of a millisecond on 1000 float64 moves three arrays, and the copy two."""
    monkeypatch.setattr(machine, "host_seconds", lambda call, number: number * 1e-3)
    rates = command.measured("bce_with_logits", np.dtype("float64"), 1000, np)
    assert rates["gigabytes_per_second"] == pytest.approx(0.024)
    assert rates["copy_gigabytes_per_second"] == pytest.approx(0.016)


def test_on_a_gpu_by_events(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    class Event:
        at = 0.0

        def record(self) -> None:
            self.at = now[0]

        def synchronize(self) -> None:
            now[0] += 100.0

    def launch() -> None:
        now[0] += 2.0  # milliseconds

    cuda = SimpleNamespace(Event=Event, get_elapsed_time=lambda start, stop: stop.at - start.at)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda))
    assert machine.gpu_seconds(launch, 5) == pytest.approx(0.010)


def test_what_it_cannot_do_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "it is a folder" in refused("bench", "--json", tmp_path)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert "needs ml_dtypes: pip install ml_dtypes" in refused("bench", "--dtype", "bfloat16")
    assert run("bench", "--size", 0).exit_code == 2
