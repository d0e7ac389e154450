"""`python -m bench accuracy`: peers' errors, by the code that measures ours."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import gpu_sigmoid as gs
from bench import peers
from bench.accuracy import subject
from bench.command import main
from gpu_sigmoid import environment


@pytest.fixture(autouse=True)
def threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_threads", None)  # which measuring in this process sets


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["accuracy", *map(str, arguments)])


def measured(folder: Path, function: str, mode: str, *options: Any) -> list[dict[str, Any]]:
    """Return the rows of NumPy's errors."""
    path = folder / "peers.json"
    options = ("--mode", mode, "--stride", 400_009, "--json", path, *options)
    result = run(function, "--peer", "numpy", *options)
    assert result.exit_code == 0, result.output
    return json.loads(path.read_text())["rows"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_errors_of_a_peer(tmp_path: Path, jobs: int) -> None:
    (row,) = measured(tmp_path, "sigmoid", "grad", "--dtype", "float32", "--jobs", jobs)
    assert (row["subject"], row["operands"]) == ("numpy", "one in 400009")
    # s (1 - s) is 0 from 16.7 on
    assert row["ulp"] > 1e6
    assert row["versions"]["numpy"] == np.__version__


def test_large_operands_can_be_left_out(tmp_path: Path) -> None:
    options = ("--within", 16, "--dtype", "float32", "--jobs", 1)
    (row,) = measured(tmp_path, "sigmoid", "value", *options)
    assert row["operands"] == "one in 400009, abs(x) <= 16"
    assert row["ulp"] < 4 and abs(float.fromhex(row["at"][0])) <= 16


def test_a_largest_operand_is_a_number() -> None:
    assert "nan is not a number" in run("--peer", "numpy", "--within", "nan").output


@pytest.mark.parametrize(("function", "mode"), [("sigmoid", "grad2"), ("softplus_beta", "value")])
def test_what_a_peer_does_not_offer_has_no_row(tmp_path: Path, function: str, mode: str) -> None:
    assert measured(tmp_path, function, mode, "--jobs", 1) == []


def test_operands_are_broadcast() -> None:
    compute = subject("numpy").compute("bce_with_logits", "value", "float32")
    assert compute is not None
    x, t = np.float32([[-3], [0], [2]]), np.float32([[0.0, 0.25]])
    np.testing.assert_allclose(compute(x, t), gs.bce_with_logits(x, t), rtol=1e-6)


def test_other_names_and_missing_libraries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not one of 'numpy', 'scipy', 'torch', 'jax'" in run("--peer", "abacus").output
    monkeypatch.setattr(peers, "load", lambda name, threads: None)
    result = run("--peer", "torch")
    assert result.exit_code == 1
    assert "torch is not installed" in result.output
