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
from gpu_sigmoid.device_check.subject import Check, Device, as_tuple, call_public

RIGHT = Device(np, np.asarray)


def wrong_bit(method: Any, operands: tuple, out: Any = None) -> Any:
    """Compute rightly but for one bit of one element."""
    results = as_tuple(call_public(method, operands))
    last = np.array(results[-1], order="C")
    raw = last.reshape(-1).view(f"u{last.itemsize}")
    raw[raw.size // 3 : raw.size // 3 + 1] ^= 1
    return *results[:-1], last


def too_late(method: Any, operands: tuple, out: Any) -> Any:
    """Compute element by element, reading what is already overwritten."""
    for i in range(out.size):
        call_public(method, tuple(o[i : i + 1] for o in operands), out[i : i + 1])


def ignores_strides(method: Any, operands: tuple, out: Any = None) -> Any:
    """Read consecutive elements, whatever the strides."""
    flat = tuple(
        np.lib.stride_tricks.as_strided(o, o.shape, np.empty(o.shape, o.dtype).strides) for o in operands
    )
    return call_public(method, flat, out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits(function: Any, dtype: str) -> None:
    stride = 100_003 if dtype == "float32" else 1_000 if dtype == "float64" else 1
    for mode in bits.MODES:
        check = partial(bits.compare, method=function.methods[mode], dtype=DTYPES[dtype], stride=stride)
        elements, failure = check(RIGHT)
        assert failure is None
        patterns = {2: (1 + bits.REPEATS_OF_16_BITS) << 16, 4: 1 << 32, 8: 1 << 24}[DTYPES[dtype].itemsize]
        assert elements == -(-patterns // stride)
        _, failure = check(Device(np, np.asarray, wrong_bit))
        if failure is None:
            # outside its domain a function is nan, and which nan does not matter
            assert np.isfinite(function.domain).any()
        else:
            assert failure.startswith("1 differ; first x = ")


@pytest.mark.parametrize("name", layouts.VIEWS)
def test_layouts(name: str) -> None:
    for mode in layouts.MODES:

        def failure(device: Device, mode: str = mode) -> str | None:
            (check,) = layouts.checks(device, gs.silu, np.dtype("f4"), [mode], [name])
            assert check.subject == f"silu.{mode} float32 {name}"
            return check().failure

        assert failure(RIGHT) is None
        if name != "empty":
            assert failure(Device(np, np.asarray, wrong_bit)) is not None
    if name in ("strided", "transposed"):
        assert failure(Device(np, np.asarray, ignores_strides)) is not None


def test_overlaps() -> None:
    def failures(device: Device) -> dict[str, str | None]:
        findings = [check() for check in layouts.overlap_checks(device, gs.sigmoid, np.dtype("f4"))]
        return {finding.subject.removeprefix("sigmoid float32 "): finding.failure for finding in findings}

    assert failures(RIGHT) == dict.fromkeys(layouts.OVERLAPS)
    late = failures(Device(np, np.asarray, too_late))
    assert {name for name, failure in late.items() if failure is None} == {"in place", "moved down"}


def test_large(function: Any) -> None:
    boundary = 20_000
    check = partial(large.compare, function=function, dtype=np.dtype("f2"), boundary=boundary)
    assert check(RIGHT)[1] is None

    def stops(method: Any, operands: tuple) -> Any:
        result = call_public(method, operands)
        result[boundary:] = 0
        return result

    def forgets(method: Any, operands: tuple) -> Any:
        result = call_public(method, operands)
        result[boundary // 3] = np.nan  # the result of 0 is infinite for some
        return result

    assert check(Device(np, np.asarray, stops))[1] is not None
    assert "between elements" in str(check(Device(np, np.asarray, forgets))[1])


def test_wrong_dtype_is_found() -> None:
    device = Device(np, np.asarray, lambda *a: call_public(*a).astype("f8"))
    _, failure = bits.compare(device, gs.sigmoid.grad2, np.dtype("f2"), 1)
    assert failure is not None
    assert failure.startswith("float64 of shape (65536,) in place of float16")


def test_what_raises_has_failed() -> None:
    assert Check("bits", "all", lambda: ({}["bits"], None))().failure == "raised KeyError: 'bits'"


def test_report(tmp_path: Path) -> None:
    checks = chosen(Device(np, np.asarray, wrong_bit), ("sigmoid",), ("bits", "layouts"), ("float16",), 1)
    findings = [check() for check in checks]
    assert "FAILED bits: sigmoid.value_and_grad float16: 1 differ" in report.table(findings)
    report.write(tmp_path / "found.json", findings, 9, {"name": "none"})
    content = json.loads((tmp_path / "found.json").read_text())
    assert content["versions"]["gpu_sigmoid"] == gs.__version__
    assert len(content["findings"]) == len(findings) == len(bits.MODES) + 2 * len(layouts.VIEWS)


def test_without_a_gpu_a_status_of_its_own() -> None:
    if gs.gpu_available():
        pytest.skip("there is a GPU")
    result = CliRunner().invoke(main, ["check-device"])
    assert result.exit_code == 3
    assert "check-device needs a GPU: there is no" in result.output
