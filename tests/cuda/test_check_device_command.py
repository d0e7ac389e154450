"""The command check-device as a whole, with a module of NumPy work in CuPy's place."""

import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers.stream_stand_in import XP

from gpu_sigmoid.cli import main
from gpu_sigmoid.device_check import libraries, streams

# the package has a command of the same name
command = import_module("gpu_sigmoid.cli.check_device")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(**vars(XP), asnumpy=np.asarray)
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(command, "why_no_gpu", lambda: None)
    monkeypatch.setattr(command, "gpu_description", lambda: {"name": "none"})
    monkeypatch.setattr(streams, "SIZE", 4099)
    monkeypatch.setattr(streams, "BALLAST_BYTES", 8)


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check-device", "--function", "silu", "--dtype", "float32", *arguments])


@pytest.mark.usefixtures("stand_in")
def test_calls_that_keep_to_no_stream_give_status_1() -> None:
    assert check("--section", "layouts").exit_code == 0
    for section in ("streams", "graph"):
        result = check("--section", section)
        assert result.exit_code == 1
        assert f"FAILED {section}: silu float32 contiguous: " in result.output


@pytest.mark.usefixtures("stand_in")
def test_sections_of_missing_libraries_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(section: str) -> Any:
        raise ImportError("it is away")

    monkeypatch.setattr(libraries, "load", missing)
    result = check("--section", "torch", "--section", "numba")
    assert result.exit_code == 0
    assert "section torch skipped: it is away" in result.output
    assert "section numba skipped: it is away" in result.output
