"""That the verification finds what is wrong: its parts, and the command."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from mpmath import ldexp, mpf, workprec

import gpu_sigmoid as gs
from gpu_sigmoid.cli import main
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify import inputs, subjects
from gpu_sigmoid.verify.climbing import climbed
from gpu_sigmoid.verify.compare import comparison, limits
from gpu_sigmoid.verify.exact import exact
from gpu_sigmoid.verify.measure import NOTHING, figures, measure
from gpu_sigmoid.verify.parts import Part, parts
from gpu_sigmoid.verify.units import UNITS


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(main, ["verify", *map(str, arguments)])


@pytest.mark.parametrize("dtype", DTYPES)
def test_nearest_is_numpys_rounding(dtype: str) -> None:
    unit = UNITS[dtype]
    exponents = np.linspace(max(unit.least - 3, -1074), unit.overflow - 1, 200)
    wide = np.random.default_rng(0).uniform(-2, 2, 200) * np.exp2(exponents)
    if dtype == "float64":
        assert all(unit.nearest(mpf(w)) == w for w in wide[np.isfinite(wide)])
        return
    with np.errstate(over="ignore"):
        for w in wide:
            assert unit.nearest(mpf(w)) == float(np.asarray(w).astype(unit.dtype))


def test_nearest_sees_what_lies_beside_a_tie() -> None:
    unit = UNITS["float16"]
    tie = mpf(1) + ldexp(mpf(1), -11)
    assert unit.nearest(tie) == 1.0
    with workprec(5000):
        assert unit.nearest(tie + ldexp(mpf(1), -4000)) == 1.0 + 2**-10
        assert unit.nearest(tie - ldexp(mpf(1), -4000)) == 1.0


def test_units_in_the_last_place() -> None:
    unit = UNITS["float32"]
    assert unit.error(1.0 + 2**-23, mpf(1), mpf(1)) == 1.0
    assert unit.error(2**-149, mpf(0), mpf(0)) == 1.0
    assert unit.error(float("inf"), mpf(2) ** 128, mpf(2) ** 128) == 0.0
    assert unit.error(float("inf"), mpf(2) ** 127, mpf(2) ** 127) > 1e6
    assert unit.error(float("nan"), mpf(1), mpf(1)) == float("inf")


@pytest.mark.parametrize(("off", "wrong"), [(0, 0), (1, 1), (-3, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_a_wrong_result_is_found(dtype: str, off: int, wrong: int) -> None:
    unit = UNITS[dtype]
    x = np.linspace(-5, -4, 101).astype(unit.dtype)
    got = np.array([unit.nearest(exact("sigmoid", "value", v)[0]) for v in x]).astype(unit.dtype)
    got.view(f"i{unit.dtype.itemsize}")[70] += off
    found = figures(Part("sigmoid", "value", dtype, None), x, (), got)
    assert found.wrong == wrong
    assert abs(found.ulp - abs(off)) <= 0.5
    assert found.points == 101
    if off:
        assert found.at == (float(x[70]),)
        assert (found.got, found.got != found.want) == (float(got[70]), True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_found(bad: float) -> None:
    x = np.linspace(-5, 5, 101, dtype=np.float32)
    got = gs.sigmoid(x)
    got[7] = bad
    found = figures(Part("sigmoid", "grad2", "float32", None), x, (), got)
    assert found.at == (float(x[7]),) or found.ulp > 1e6
    compare = comparison("sigmoid", "value")
    format = limits(UNITS["float32"])
    at, _, _ = compare(x[None].astype("f8"), got.astype("f8"), *format, np.empty(9, np.int64))
    assert at == 7


def test_neighbours_in_the_wrong_order_are_found() -> None:
    x = np.linspace(-5, 5, 101, dtype=np.float32)
    got = gs.sigmoid(x)
    got[[40, 41]] = got[[41, 40]]
    assert figures(Part("sigmoid", "value", "float32", None), x, (), got).violations == 1
    assert figures(Part("silu", "value", "float32", None), x, (), got).violations == 0


def test_figures_add_up() -> None:
    found = [measure(part) for part in parts("logit", "value", "float32", 4099, 0)]
    total = NOTHING
    for part in found:
        assert part is not None
        total = total.merged(part)
    whole = inputs.in_domain("logit", inputs.patterns(0, inputs.PATTERNS, 4099))
    assert len(whole) <= total.points <= len(whole) + len(found)
    assert total.ulp == max(part.ulp for part in found if part)


@pytest.mark.parametrize("stride", [1, 3, 4099])
def test_blocks_cover_all_patterns(stride: int) -> None:
    work = parts("sigmoid", "value", "float32", stride, 0)
    assert (work[0].start, work[-1].stop) == (0, inputs.PATTERNS)
    for before, after in pairwise(work):
        assert before.stop == after.start
        assert after.start == 1 << 31 or (after.start - before.start) % stride == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_operands(name: str) -> None:
    x = inputs.chosen(name, 1000)
    assert 800 <= len(x) <= 1000
    assert np.all(np.diff(x) > 0)
    assert len(inputs.in_domain(name, x)) == len(x)


def test_command_prints_and_writes_what_it_finds(tmp_path: Path) -> None:
    options = ["--mode", "value", "--stride", 400_009, "--jobs", 1, "--json", tmp_path / "a.json"]
    result = run("sigmoid", *options, "--dtype", "float32", "--dtype", "float16")
    assert result.exit_code == 0, result.output
    assert "sigmoid.value float32" in result.output
    rows = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert [(row["dtype"], row["operands"]) for row in rows] == [
        ("float16", "all"),
        ("float32", "one in 400009"),
    ]
    assert run("logit", *options, "--dtype", "float16").exit_code == 0
    again = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert [row["function"] for row in again] == ["sigmoid", "sigmoid", "logit"]
    assert again[:2] == rows
    for row in again:
        assert row["device"] and len(row["date"]) == 10
        assert row["versions"]["gpu_sigmoid"] == gs.__version__


@pytest.mark.parametrize(("mode", "exact_one"), [("value", 0.49987793), ("grad2", -2.9802322e-08)])
def test_the_exact_result_is_not_rounded_to_16_bits(tmp_path: Path, mode: str, exact_one: float) -> None:
    options = ["--mode", mode, "--dtype", "float16", "--jobs", 1, "--json", tmp_path / "a.json"]
    line = run("sigmoid", *options).output.splitlines()[-1]
    (row,) = json.loads((tmp_path / "a.json").read_text())["rows"]
    assert row["wrongly_rounded"] == 0
    want = float.fromhex(row["want"])
    assert want == pytest.approx(exact_one, rel=1e-7)
    assert f"{want:.17g}" in line.split()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x: np.where(x == np.float16(1.5), np.float16(0), gs.sigmoid(x)), "BROKEN"),
        (lambda x: np.where(x == np.float16(1.5), np.nan, gs.sigmoid(x)).astype("f2"), "BROKEN"),
        (lambda x: gs.sigmoid(x) * np.float16(0.999), "BROKEN"),
        (
            lambda x: np.where(x > 11, 1 - (x > 20) * 2.0**-11, gs.sigmoid(x)).astype("f2"),
            "in the wrong order",
        ),
    ],
)
def test_command_fails_if_a_kernel_is_wrong(wrong: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "FUNCTIONS", {"sigmoid": SimpleNamespace(methods={"value": wrong})})
    result = run("sigmoid", "--mode", "value", "--dtype", "float16", "--jobs", 1)
    assert result.exit_code == 1
    assert words in result.output


def test_worse_operands_near_the_worst_are_found() -> None:
    def measured(*operands: np.ndarray) -> Any:
        far = sum(np.abs(operand - peak) for operand, peak in zip(operands, (1.5, -3.28), strict=False))
        at = int(far.argmin())
        return replace(
            NOTHING, ulp=2.0 - float(far[at]), at=tuple(float(operand[at]) for operand in operands)
        )

    ranges = ((1.499, 1.502), (-3.25, -3.249), (0, 0))
    drawn = [np.linspace(low, high, 9, dtype=np.float32) for low, high in ranges]
    found = climbed(measured(*drawn), drawn, measured)
    assert found.at == (pytest.approx(1.5, abs=1e-5), -3.25, 0.0)
