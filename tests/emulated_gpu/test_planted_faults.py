"""The emulated GPU shows faults: each, planted in a copy of the library, is noticed, and as what it is."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers.processes import python

from emulated_gpu.planted import FAULTS, SIZES, Fault

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")
FAILED, PASSED = 1, 0


def copied(folder: Path) -> Path:
    """Copy the library and its tests."""
    for name in ("gpu_sigmoid", "tests", "tools"):
        shutil.copytree(ROOT / name, folder / name, ignore=IGNORED)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder / "gpu_sigmoid"


def run(folder: Path, tests: list[str], keywords: str, settings: dict[str, int]) -> tuple[int, str]:
    """Return the exit status of tests on the emulated GPU, and what they print."""
    variables: dict[str, Any] = {f"EMULATED_GPU_{name}": value for name, value in settings.items()}
    variables |= {"GPU_SIGMOID_EMULATE": "1", "GPU_SIGMOID_REQUIRE": "cupy,numba_cuda"}
    # on CI's machines pytest shows all of what differs, which takes minutes for large arrays
    variables |= {"PYTHONPATH": folder, "CI": None, "BUILD_NUMBER": None}
    arguments = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests, "-k", keywords]
    done = python("-m", "pytest", *arguments, cwd=folder, **variables)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_noticed(emulated: Any, tmp_path: Path, fault: Fault) -> None:
    path = copied(tmp_path) / fault.file
    text = path.read_text()
    assert text.count(fault.old) == 1, f"{fault.file} is to have once, to plant a fault: {fault.old!r}"
    path.write_text(text.replace(fault.old, fault.new))
    status, printed = run(tmp_path, [fault.tests], fault.keywords, fault.settings)
    assert status == FAILED, printed
    assert re.search(rf"^[E>] .*(?:{fault.noticed})", printed, re.MULTILINE), printed


@pytest.mark.parametrize("units", [1, -1])
def test_reciprocals_may_be_a_unit_off(emulated: Any, tmp_path: Path, units: int) -> None:
    copied(tmp_path)
    status, printed = run(tmp_path, [SIZES], "float32-4099", {"RECIPROCAL_ULP": units})
    assert status == PASSED, printed


def test_without_a_fault_the_same_tests_pass(emulated: Any) -> None:
    """A test that fails anyway would notice nothing."""
    selections = [f"{fault.tests.rpartition('::')[2]} and ({fault.keywords or 'test'})" for fault in FAULTS]
    tests = sorted({fault.tests for fault in FAULTS})
    status, printed = run(ROOT, tests, " or ".join(selections), {})
    assert status == PASSED, printed
