"""The GPU's kernels one by one, on NumPy and a clock that counts in a GPU's place."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bench import device, gpu
from bench.cases import Case
from bench.command import main
from bench.contenders import OTHERS, Contender, ours
from bench.measure import BASELINE, OURS

CASE = Case("sigmoid", "value_and_grad", "float32", 1000, "out", threads=0)


def clock(call: Any, count: int) -> float:
    """Return a millisecond a call, whatever it takes."""
    call()
    return count * 1e-3


def missing(*_: Any) -> Contender:
    raise ImportError("it is not installed")


def wrong(case: Case, inputs: tuple, outs: tuple) -> Contender:
    right = ours(case, inputs, outs)

    def call() -> None:
        right.call()
        outs[-1].view("u4")[7] ^= 1

    return Contender(call, right.results)


def idle(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return what is quick, since it does nothing."""
    return Contender(lambda: None, ours(case, inputs, outs).results)


def timed(prepares: dict[str, Any]) -> tuple[list[gpu.Figure], list[Any]]:
    return gpu.timed(CASE, np, clock, 3, prepares, 3 * CASE.bytes)


def test_rates() -> None:
    figures, findings = timed({OURS: ours, BASELINE: OTHERS[BASELINE]})
    assert [f.failure for f in findings] == [None]
    by_name = {f.contender: f for f in figures}
    # 1000 elements of 4 bytes in a millisecond: three arrays, and the copy two
    assert by_name[OURS].gigabytes_per_second == pytest.approx(0.012)
    assert by_name[BASELINE].gigabytes_per_second == pytest.approx(0.008)
    assert by_name[OURS].percent_of_copy == pytest.approx(150)
    assert by_name[OURS].microseconds is not None
    assert by_name[OURS].microseconds.median == pytest.approx(1000)


def test_all_sets_of_arrays_take_their_turn() -> None:
    seen = []

    def prepare(case: Case, inputs: tuple, outs: tuple) -> Contender:
        return Contender(lambda: seen.append(id(outs)))

    timed({"it": prepare})
    assert len(set(seen)) == 3


@pytest.mark.parametrize("prepare", [wrong, idle])
def test_wrong_results_are_found(prepare: Any) -> None:
    _, findings = timed({OURS: ours, "ElementwiseKernel": prepare})
    assert [f.failure is None for f in findings] == [True, False]


def test_what_is_missing_is_skipped_with_its_reason() -> None:
    none = lambda *_: None  # noqa: E731
    figures, _ = timed({OURS: ours, "packed": none, "Numba": missing, "torch": none})
    reasons = {f.contender: f.skipped for f in figures}
    assert reasons == {
        OURS: None,
        "Numba": "ImportError: it is not installed",
        "torch": "the library does not offer it",
    }
    assert "Numba  skipped: ImportError: it is not installed" in gpu.table(figures)


def test_our_errors_are_failures() -> None:
    def broken(*_: Any) -> Contender:
        raise ValueError("broken")

    _, findings = timed({OURS: broken, "ElementwiseKernel": ours})
    assert [f.failure for f in findings] == ["raised ValueError: broken", None]
    figures, _ = timed({OURS: ours, "torch": broken})
    assert figures[0].skipped == "ValueError: broken"


def test_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "OF_LAUNCH", {OURS: ours})
    figures, findings = gpu.launch("sigmoid", np, clock)
    assert [f.case.size for f in figures] == [1]
    assert [f.failure for f in findings] == [None]


def test_cases() -> None:
    assert [(c.component, c.dtype) for c in gpu.cases(("silu",), ("float16", "float64"), 10)] == [
        ("value", "float16"),
        ("value_and_grad", "float16"),
        ("value", "float64"),
        ("value_and_grad", "float64"),
    ]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put NumPy in CuPy's place, and one small case in that of all."""
    monkeypatch.setitem(sys.modules, "cupy", np)
    monkeypatch.setattr(device, "why_no_gpu", lambda: None)
    monkeypatch.setattr("bench.report.gpu", lambda: "none")
    monkeypatch.setattr(device, "cuda_clock", clock)
    case = Case("silu", "value", "float32", 100, "out", threads=0)
    monkeypatch.setattr(gpu, "ROTATED_BYTES", 1)
    monkeypatch.setattr(gpu, "cases", lambda *_: [case])
    monkeypatch.setattr(gpu, "OWN", {OURS: ours})
    monkeypatch.setattr(gpu, "OTHERS", {BASELINE: OTHERS[BASELINE], "torch": missing})
    monkeypatch.setattr(gpu, "OF_LAUNCH", {OURS: ours})


@pytest.mark.usefixtures("stand_in")
def test_command(tmp_path: Path) -> None:
    path = tmp_path / "found.json"
    result = CliRunner().invoke(main, ["device", "--function", "silu", "-o", str(path)])
    assert result.exit_code == 0, result.output
    content = json.loads(path.read_text())
    assert [(row["contender"], row["case"]["size"]) for row in content["rows"]] == [
        ("torch", 100),
        (OURS, 100),
        (BASELINE, 100),
        (OURS, 1),
    ]
    assert {row["device"] for row in content["rows"]} == {"none"}
    assert all("gpu_sigmoid" in row["versions"] for row in content["rows"])
    assert [finding["failure"] for finding in content["findings"]] == [None, None]
    assert "100.0" in result.output


@pytest.mark.usefixtures("stand_in")
def test_wrong_results_give_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "OWN", {OURS: wrong})
    result = CliRunner().invoke(main, ["device", "--function", "silu"])
    assert result.exit_code == 1
    assert "FAILED speed: gpu_sigmoid silu value float32 of 100: 1 differ" in result.output
