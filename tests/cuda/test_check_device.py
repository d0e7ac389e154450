"""gpu-sigmoid check-device, on NumPy in a GPU's place: right kernels pass, wrong ones do not."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.floats import DTYPES

import gpu_sigmoid as gs
from gpu_sigmoid.cli import main
from gpu_sigmoid.cli.check_device import chosen
from gpu_sigmoid.device_check import bits, large, layouts, report
from gpu_sigmoid.device_check.subject import Device, as_tuple, call_public

RIGHT = Device(np, np.asarray)


def wrong_bit(function: Any, component: str, operands: tuple) -> Any:
    """Compute rightly but for one bit of one element."""
    results = as_tuple(call_public(function, component, operands, None))
    last = np.array(results[-1], order="C")
    raw = last.reshape(-1).view(f"u{last.itemsize}")
    raw[raw.size // 3 : raw.size // 3 + 1] ^= 1
    return *results[:-1], last


def too_late(function: Any, component: str, operands: tuple, out: Any) -> Any:
    """Compute element by element, reading what is already overwritten."""
    for i in range(out.size):
        call_public(function, component, tuple(o[i : i + 1] for o in operands), out[i : i + 1])


def ignores_strides(function: Any, component: str, operands: tuple, out: Any = None) -> Any:
    """Read consecutive elements, whatever the strides."""
    flat = tuple(
        np.lib.stride_tricks.as_strided(o, o.shape, np.empty(o.shape, o.dtype).strides) for o in operands
    )
    return call_public(function, component, flat, out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits(function: Any, dtype: str) -> None:
    stride = 100_003 if dtype == "float32" else 1_000 if dtype == "float64" else 1
    for component in bits.MODES:
        check = partial(
            bits.check, function=function, component=component, dtype=DTYPES[dtype], stride=stride
        )
        finding = check(RIGHT)
        assert finding.failure is None
        patterns = {2: (1 + bits.REPEATS_OF_16_BITS) << 16, 4: 1 << 32, 8: 1 << 24}[DTYPES[dtype].itemsize]
        assert finding.elements == -(-patterns // stride)
        failure = check(Device(np, np.asarray, wrong_bit)).failure
        if failure is None:
            # logit is nan of a third of all patterns, and which nan does not matter
            assert function is gs.logit
        else:
            assert failure.startswith("1 differ; first x = ")


@pytest.mark.parametrize("name", layouts.VIEWS)
def test_layouts(name: str) -> None:
    for component in ("value_and_grad", "vjp"):
        check = partial(
            layouts.check_view, function=gs.silu, component=component, dtype=np.dtype("f4"), name=name
        )
        assert check(RIGHT).failure is None
        if name != "empty":
            assert check(Device(np, np.asarray, wrong_bit)).failure is not None
    if name in ("strided", "transposed"):
        assert check(Device(np, np.asarray, ignores_strides)).failure is not None


@pytest.mark.parametrize("name", layouts.OVERLAPS)
def test_overlaps(name: str) -> None:
    check = partial(layouts.check_overlap, function=gs.sigmoid, dtype=np.dtype("f4"), name=name)
    assert check(RIGHT).failure is None
    late = check(Device(np, np.asarray, too_late)).failure
    assert (late is None) == (name in ("in place", "moved down"))


def test_large(function: Any) -> None:
    boundary = 20_000
    check = partial(large.check_large, function=function, dtype=np.dtype("f2"), boundary=boundary)
    assert check(RIGHT).failure is None

    def stops(function: Any, component: str, operands: tuple) -> Any:
        result = call_public(function, component, operands)
        result[boundary:] = 0
        return result

    def forgets(function: Any, component: str, operands: tuple) -> Any:
        result = call_public(function, component, operands)
        result[boundary // 3] += 1
        return result

    assert check(Device(np, np.asarray, stops)).failure is not None
    if function is not gs.logit:  # at 0 it is infinite
        assert "between elements" in str(check(Device(np, np.asarray, forgets)).failure)


def test_wrong_dtype_is_found() -> None:
    device = Device(np, np.asarray, lambda *a: call_public(*a).astype("f8"))
    failure = bits.check(device, gs.sigmoid, "grad2", np.dtype("f2")).failure
    assert failure is not None
    assert failure.startswith("float64 of shape (65536,) in place of float16")


def test_report(tmp_path: Path) -> None:
    checks = chosen(("sigmoid",), ("bits", "layouts"), ("float16",), 1)
    findings = [check(Device(np, np.asarray, wrong_bit)) for check in checks]
    text = report.table(findings)
    assert "FAILED bits: sigmoid value_and_grad float16: 1 differ" in text
    report.write(tmp_path / "found.json", report.document(findings, {"name": "none"}))
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["versions"]["gpu_sigmoid"] == gs.__version__
    assert len(content["findings"]) == len(findings)


def test_without_a_gpu_a_status_of_its_own() -> None:
    if gs.gpu_available():
        pytest.skip("there is a GPU")
    result = CliRunner().invoke(main, ["check-device"])
    assert result.exit_code == 3
    assert "check-device needs a GPU: there is no" in result.output
