"""check-device's speed section, on NumPy and a clock that counts in a GPU's place."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gpu_sigmoid.bench.cases import Case
from gpu_sigmoid.device_check import report, speed
from gpu_sigmoid.device_check.contenders import COPY, OURS, PEERS, Contender, ours

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


def timed(prepares: dict[str, Any]) -> tuple[list[speed.Figure], list[Any]]:
    return speed.timed(CASE, np, clock, 3, prepares, 3 * CASE.bytes)


def test_rates() -> None:
    figures, findings = timed({OURS: ours, COPY: PEERS[COPY]})
    assert [f.failure for f in findings] == [None]
    by_name = {f.contender: f for f in figures}
    # 1000 elements of 4 bytes in a millisecond: three arrays, and the copy two
    assert by_name[OURS].gigabytes_per_second == pytest.approx(0.012)
    assert by_name[COPY].gigabytes_per_second == pytest.approx(0.008)
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
    assert "Numba  skipped: ImportError: it is not installed" in speed.table(figures)


def test_our_errors_are_not_skipped() -> None:
    def broken(*_: Any) -> Contender:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        timed({OURS: broken})
    figures, _ = timed({OURS: ours, "torch": broken})
    assert figures[0].skipped == "ValueError: broken"


def test_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "OF_LAUNCH", {OURS: ours})
    figures, findings = speed.launch("sigmoid", np, clock)
    assert [f.case.size for f in figures] == [1]
    assert [f.failure for f in findings] == [None]


def test_cases_and_json() -> None:
    cases: Iterator[Case] = speed.cases(("silu",), ("float16", "float64"), 10)
    assert [(c.component, c.dtype) for c in cases] == [
        ("value", "float16"),
        ("value_and_grad", "float16"),
        ("value", "float64"),
        ("value_and_grad", "float64"),
    ]
    figures, findings = timed({OURS: ours, "Numba": missing})
    content = json.loads(json.dumps(report.document(findings, {}, [f.record() for f in figures])))
    assert content["speed"][1]["case"]["function"] == "sigmoid"
    assert content["speed"][1]["microseconds"]["median"] == pytest.approx(1000)
    assert {"torch", "numba-cuda"} <= content["versions"].keys()
