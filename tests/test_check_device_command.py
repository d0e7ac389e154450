"""The command check-device as a whole, with a module of NumPy work in CuPy's place."""

import json
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from stream_stand_in import XP

from gpu_sigmoid.bench.cases import Case
from gpu_sigmoid.cli import main
from gpu_sigmoid.device_check import libraries, speed, streams
from gpu_sigmoid.device_check.contenders import COPY, OURS, PEERS, ours

# the package has a command of the same name
command = import_module("gpu_sigmoid.cli.check_device")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(**vars(XP), asnumpy=np.asarray)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(command, "why_no_gpu", lambda: None)
    monkeypatch.setattr(command, "gpu_description", lambda: {"name": "none"})
    monkeypatch.setattr(streams, "SIZE", 4099)
    monkeypatch.setattr(streams.check_streams, "__defaults__", (8,))


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check-device", "--function", "silu", "--dtype", "float32", *arguments])


@pytest.mark.usefixtures("stand_in")
def test_calls_that_keep_to_no_stream_give_status_1() -> None:
    assert check("--section", "layouts").exit_code == 0
    for section in ("streams", "graph"):
        result = check("--section", section)
        assert result.exit_code == 1
        assert f"FAILED {section}: silu value float32 contiguous: " in result.output


@pytest.mark.usefixtures("stand_in")
def test_sections_of_missing_libraries_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(section: str) -> Any:
        raise ImportError("it is away")

    monkeypatch.setattr(libraries, "load", missing)
    result = check("--section", "torch", "--section", "numba")
    assert result.exit_code == 0
    assert "section torch skipped: it is away" in result.output
    assert "section numba skipped: it is away" in result.output


@pytest.mark.usefixtures("stand_in")
def test_speed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case = Case("silu", "value", "float32", 100, "out", threads=0)
    monkeypatch.setattr(command, "cuda_clock", lambda call, count: count * 1e-3)
    monkeypatch.setattr(speed, "ROTATED_BYTES", 1)
    monkeypatch.setattr(speed, "cases", lambda *_: [case])
    monkeypatch.setattr(speed, "OWN", {OURS: ours})
    monkeypatch.setattr(speed, "PEERS", {COPY: PEERS[COPY]})
    monkeypatch.setattr(speed, "OF_LAUNCH", {OURS: ours})
    result = check("--section", "speed", "-o", str(tmp_path / "found.json"))
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "found.json").read_text())
    assert [(f["contender"], f["case"]["size"]) for f in content["speed"]] == [
        (OURS, 100),
        (COPY, 100),
        (OURS, 1),
    ]
    assert "100.0" in result.output
