"""The GPU's kernels one by one, on NumPy and a clock that counts in a GPU's place."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bench import device, gpu, ours
from bench.cases import Case
from bench.command import main
from bench.contenders import OTHERS
from bench.measure import BASELINE, OURS
from gpu_sigmoid import machine

CASE = Case("sigmoid", "value_and_grad", "float32", 1000, "out", threads=0)


def clock(call: Any, count: int) -> float:
    """Return a millisecond a call, whatever it takes."""
    call()
    return count * 1e-3


def missing(*_: Any) -> Any:
    raise ImportError("it is not installed")


def broken(*_: Any) -> Any:
    raise ValueError("broken")


def wrong(case: Case, inputs: tuple, outs: tuple) -> Any:
    right = ours.prepare(case, inputs, outs)

    def call() -> None:
        right()
        outs[-1].view("u4")[7] ^= 1

    return call


def idle(case: Case, inputs: tuple, outs: tuple) -> Any:
    """Return what is quick, since it does nothing."""
    return lambda: None


def timed(prepares: dict[str, Any]) -> gpu.Timed:
    return gpu.timed(CASE, np, clock, 3, prepares, 3 * CASE.bytes)


def test_rates() -> None:
    found = timed({OURS: ours.prepare, BASELINE: OTHERS[BASELINE]})
    assert [f.failure for f in found.findings] == [None]
    by_name = {row.contender: row for row in found.rows}
    # 1000 elements of 4 bytes in a millisecond: three arrays, and the copy two
    assert by_name[OURS].gigabytes_per_second == pytest.approx(0.012)
    assert by_name[BASELINE].gigabytes_per_second == pytest.approx(0.008)
    assert by_name[OURS].of_copy == pytest.approx(1.5)
    assert by_name[OURS].nanoseconds.median == pytest.approx(1000)


def test_all_sets_of_arrays_take_their_turn() -> None:
    seen = []

    def prepare(case: Case, inputs: tuple, outs: tuple) -> Any:
        return lambda: seen.append(id(outs))

    timed({"it": prepare})
    assert len(set(seen)) == 3


@pytest.mark.parametrize("prepare", [wrong, idle])
def test_wrong_results_are_found(prepare: Any) -> None:
    found = timed({OURS: ours.prepare, "ElementwiseKernel": prepare})
    assert [f.failure is None for f in found.findings] == [True, False]


def test_what_is_missing_is_skipped_with_its_reason() -> None:
    none = lambda *_: None  # noqa: E731
    found = timed({OURS: ours.prepare, "packed": none, "Numba": missing, "torch": none})
    assert [row.contender for row in found.rows] == [OURS]
    assert [f.failure for f in found.findings] == [None]
    assert found.skipped == ["Numba sigmoid.value_and_grad float32 of 1000: ImportError: it is not installed"]


def test_our_errors_are_failures() -> None:
    found = timed({OURS: broken, "ElementwiseKernel": ours.prepare})
    assert [f.failure for f in found.findings] == ["raised ValueError: broken", None]
    assert [row.times_ours for row in found.rows] == [None]
    found = timed({OURS: ours.prepare, "torch": broken})
    assert [f.failure for f in found.findings] == [None]
    assert found.skipped == ["torch sigmoid.value_and_grad float32 of 1000: ValueError: broken"]
    assert timed({OURS: broken}).rows == []


def test_a_launch_is_timed_on_one_element(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "OF_LAUNCH", {OURS: ours.prepare})
    found = gpu.launch("sigmoid", np, clock)
    assert [row.case.size for row in found.rows] == [1]
    assert [f.failure for f in found.findings] == [None]


def test_every_mode_and_dtype_is_a_case() -> None:
    assert [(c.mode, c.dtype) for c in gpu.cases(("silu",), ("float16", "float64"), 10)] == [
        ("value", "float16"),
        ("value", "float64"),
        ("value_and_grad", "float16"),
        ("value_and_grad", "float64"),
    ]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put NumPy in CuPy's place, and one small case in that of all."""
    monkeypatch.setitem(sys.modules, "cupy", np)
    monkeypatch.setattr(device, "why_no_gpu", lambda: None)
    monkeypatch.setattr("bench.report.gpu", lambda: "none")
    monkeypatch.setattr(machine, "gpu_seconds", clock)
    case = Case("silu", "value", "float32", 100, "out", threads=0)
    monkeypatch.setattr(gpu, "ROTATED_BYTES", 1)
    monkeypatch.setattr(gpu, "cases", lambda *_: [case])
    monkeypatch.setattr(gpu, "OWN", {OURS: ours.prepare})
    monkeypatch.setattr(gpu, "OTHERS", {BASELINE: OTHERS[BASELINE], "torch": missing})
    monkeypatch.setattr(gpu, "OF_LAUNCH", {OURS: ours.prepare})


@pytest.mark.usefixtures("stand_in")
def test_the_command_writes_figures_findings_and_what_it_skipped(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    result = CliRunner().invoke(main, ["device", "--function", "silu", "-o", str(path)])
    assert result.exit_code == 0, result.output
    content = json.loads(path.read_text())
    assert [(row["contender"], row["case"]["size"]) for row in content["rows"]] == [
        (OURS, 100),
        (BASELINE, 100),
        (OURS, 1),
    ]
    assert {row["device"] for row in content["rows"]} == {"none"}
    assert all("gpu_sigmoid" in row["versions"] for row in content["rows"])
    assert [finding["failure"] for finding in content["findings"]] == [None, None]
    assert content["skipped"] == ["torch silu float32 of 100: ImportError: it is not installed"]
    assert f"skipped: {content['skipped'][0]}" in result.output
    assert "| `silu` | 100 | 10,000 | 0.00080 | 100% |" in result.output
    assert "| `silu` | 1 | 1,000,000 | 0.0000080 |  |" in result.output


@pytest.mark.usefixtures("stand_in")
def test_wrong_results_give_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "OWN", {OURS: wrong})
    result = CliRunner().invoke(main, ["device", "--function", "silu"])
    assert result.exit_code == 1
    assert "FAILED speed: gpu_sigmoid silu float32 of 100: 1 differ" in result.output
