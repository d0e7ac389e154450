"""The benchmark: what its figures mean. No speed is asserted."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from bench import charts, clock, measure, ours, peers, report
from bench.cases import GATED, LAYOUTS, Case, Grid, operands, preset
from bench.clock import Spread, calibrated, interleave
from bench.command import main
from gpu_sigmoid.dtypes import numpy_dtype

CASE = Case("sigmoid", "value", "float32", 1000, "out", 1)


class Workbench:
    """A clock on which the calls named take their seconds, with disturbances by round."""

    def __init__(self, seconds: dict[str, float], disturbed: Callable[[int], float] = lambda n: 1.0) -> None:
        self.seconds, self.disturbed, self.order = seconds, disturbed, list[str]()
        self.calls: dict[str, Callable[[], Any]] = {name: (lambda name=name: name) for name in seconds}

    def clock(self, call: Callable[[], Any], count: int) -> float:
        self.order.append(call())
        return self.seconds[call()] * count * self.disturbed(len(self.order))


def test_a_sample_is_long_enough_and_calls_are_interleaved() -> None:
    bench = Workbench({"a": 1e-6, "b": 3e-3, "c": 7.0})
    assert calibrated(bench.calls["a"], bench.clock) * 1e-6 >= clock.SAMPLE_SECONDS
    assert calibrated(bench.calls["c"], bench.clock) == 1
    bench.order.clear()
    seconds = interleave(bench.calls, bench.clock, 3)
    assert "".join(bench.order[-9:]) == "abcbcacab"
    assert {name: pytest.approx(values) for name, values in seconds.items()} == {
        name: np.full(3, s) for name, s in bench.seconds.items()
    }


def test_ratios_hold_when_the_machine_slows_down() -> None:
    bench = Workbench({"a": 1.0, "b": 2.0}, lambda n: 5.0 if n > 20 else 1.0)
    seconds = interleave(bench.calls, bench.clock, 15)
    assert Spread.of(seconds["b"] / seconds["a"]).median == 2.0


@pytest.mark.parametrize("mode", ["value", "grad", "value_and_grad", "vjp"])
@pytest.mark.parametrize("name", peers.HOST)
@pytest.mark.parametrize(
    ("function", "layout"), [(f, "out") for f in gs.FUNCTIONS] + [(f, "packed") for f in GATED]
)
def test_peers_compute_what_is_said(function: str, layout: str, name: str, mode: str) -> None:
    """A peer that computes something else would be no peer."""
    for dtype in ("float32", "float64"):
        case = Case(function, mode, dtype, 2000, layout, 1)
        prepare = peers.load(name, 1)
        if prepare is None:
            pytest.skip(f"{name} is not installed")
        inputs, outs = operands(case)
        call = prepare(case, inputs, outs)
        if call is None:
            continue
        results = call()
        want = case.method(*inputs)
        for got, expected in zip(as_tuple(results), as_tuple(want), strict=True):
            np.testing.assert_allclose(np.asarray(got), expected, rtol=2e-3, atol=1e-5)


STEPS = {"strided": 4, "reversed": -2}


@pytest.mark.parametrize("function", GATED)
@pytest.mark.parametrize("mode", ["value", "grad", "value_and_grad", "vjp"])
def test_ours_is_timed_on_the_halves_of_one_array(mode: str, function: str) -> None:
    case = Case(function, mode, "float32", 8192, "packed", 1)
    inputs, outs = operands(case)
    gradients = outs[-2:] if case.outputs > 1 else ()
    for halves in filter(None, (inputs[:2], gradients)):
        assert halves[0].base is halves[1].base and halves[0].base.shape == (2, 8192)
        assert all(half.shape == (2, 4096) for half in halves)
    assert all(a.flags.c_contiguous for a in (*inputs[2:], *(outs if not gradients else outs[:-2])))
    wants = [np.array(a) for a in as_tuple(case.method(*inputs))]
    ours.prepare(case, inputs, outs)()
    for out, want in zip(outs, wants, strict=True):
        np.testing.assert_array_equal(out, want)
    assert [c.function for c in Grid(("sigmoid", function), layouts=("packed",))] == [function]


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "packed"])
@pytest.mark.parametrize("mode", ["value", "value_and_grad", "vjp"])
def test_ours_is_timed_on_the_layout_named(mode: str, layout: str) -> None:
    case = Case("bce_with_logits", mode, "bfloat16", 100, layout, 1)
    inputs, outs = operands(case)
    assert all(a.size == 100 and a.dtype == numpy_dtype("bfloat16") for a in (*inputs, *outs))
    assert all(a.strides[-1] == STEPS.get(layout, 2) for a in inputs[:-1])
    assert inputs[-1].strides[-1] == (0 if layout == "number" else STEPS.get(layout, 2))
    assert (outs[0] is inputs[0]) == (layout == "in-place")
    assert all(a.flags.c_contiguous for a in outs)
    assert case.bytes == 200 * (len(inputs) + len(outs))
    result = measure.prepared(case, {"ours": ours.prepare}, [(inputs, outs)])["ours"]()
    assert len(as_tuple(result)) == case.outputs


def test_the_copy_copies_in_parts() -> None:
    source, target = np.arange(700_001.0), np.zeros(700_001)
    ours.copy(Case("sigmoid", "value", "float64", source.size, "out", 2), (source,), (target,))()
    np.testing.assert_array_equal(source, target)


def test_rows_and_tables() -> None:
    rows = measure.measure(CASE, 3, ["numpy"])
    assert [row.contender for row in rows] == ["gpu_sigmoid", "copy", "numpy"]
    row = rows[0]
    assert row.times_ours == Spread(1.0, 1.0, 1.0)
    assert row.gigabytes_per_second == pytest.approx(8 / row.nanoseconds.median, rel=1e-6)
    document = report.document(rows, 3)
    for row in document["rows"]:
        assert row["device"] and len(row["date"]) == 10
        assert row["versions"]["gpu_sigmoid"] == gs.__version__
        assert row["versions"]["numpy"] == np.__version__
    text = report.tables(document)
    assert "**float32, 1 thread**" in text
    assert "| `sigmoid` | 1,000 | " in text
    assert "numpy |" in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0041, "0.0041"), (0.977, "0.98"), (0.999, "1.0"), (2, "2.0"), (12.3, "12"), (4159, "4,200")],
)
def test_two_digits(value: float, shown: str) -> None:
    assert report.two_digits(value) == shown


def test_a_faster_peer_stands_out_and_a_ratio_has_its_spread() -> None:
    assert report.ratio({"median": 0.89, "low": 0.871, "high": 0.9}) == "**0.89** (0.87-0.90)"
    assert report.ratio({"median": 1.2}) == "1.2"
    assert Spread.of(np.arange(101.0)) == Spread(50.0, 10.0, 90.0)


def test_the_full_preset_has_every_function_and_layout() -> None:
    cases = [case for grid in preset("full") for case in grid]
    assert {case.function for case in cases} == set(gs.FUNCTIONS)
    assert {case.layout for case in cases} == set(LAYOUTS)
    assert next(iter(Grid())) == Case("sigmoid", "value", "float32", 100_000, "out", 1)


def test_peers_know_the_functions_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function added to the family is timed, whoever else offers it."""
    new = SimpleNamespace(formula=gs.silu.formula, methods=gs.silu.methods)
    monkeypatch.setitem(gs.FUNCTIONS, "new", new)
    case = Case("new", "value", "float32", 10, "out", 1)
    for name in peers.HOST:
        if prepare := peers.load(name, 1):
            assert prepare(case, *operands(case)) is None


def test_legends_cover_nothing_and_lines_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    drawn = []
    save = charts.save
    monkeypatch.setattr(charts, "save", lambda plot, *given: (save(plot, *given), drawn.append(plot)))
    kept = Path(__file__).parent.parent.parent / "bench/results/throughput-cpu-amd-zen-5.json"
    content = json.loads(kept.read_text(encoding="utf-8"))
    charts.draw_roofline(content, 30_000_000, "float32", 1, tmp_path / "roof.png")
    charts.draw_throughput(content, "float32", 1, tmp_path / "size.png")
    for plot in drawn:
        (legend,) = plot.figure.legends
        assert not legend.get_window_extent().overlaps(plot.get_window_extent())
        assert plot.get_legend() is None
    roof, size = drawn
    assert len(roof.patches) > 2
    assert len(size.lines) > 5
    for look in ("get_color", "get_marker"):
        assert len({getattr(line, look)() for line in size.lines}) == len(size.lines)


def test_charts_are_drawn_anew_from_what_a_run_wrote(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert "has no throughput" in CliRunner().invoke(main, ["charts", str(tmp_path)]).output
    rows = [row for case in Grid(("sigmoid",), sizes=(1, 10, 100)) for row in measure.measure(case, 3, [])]
    report.write(tmp_path / "throughput-cpu.json", report.document(rows, 3))
    done = CliRunner().invoke(main, ["charts", str(tmp_path)])
    assert done.output == "drawn: throughput-cpu-float32-1.png\n"
    assert (tmp_path / "throughput-cpu-float32-1.png").read_bytes().startswith(b"\x89PNG")


def test_the_package_does_not_import_it() -> None:
    """It is not in the wheel."""
    for path in Path(gs.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not any(name.split(".")[0] == "bench" for name in names), path
