"""How the emulated GPU is turned on: for a command, for the processes it starts, or refused with a reason."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.processes import python

from emulated_gpu import requirements

TESTS = Path(__file__).parents[1]
FINDS = "import gpu_sigmoid; print(gpu_sigmoid.environment.why_no_gpu())"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {FINDS!r}], check=True)"
PYTEST = """
def test_gpu():
    from gpu_sigmoid.environment import why_no_gpu
    assert why_no_gpu() is None
"""


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    paths = f"{TESTS}{os.pathsep}{TESTS.parent}"
    return python(*arguments, **{"GPU_SIGMOID_EMULATE": None, "PYTHONPATH": paths, **variables})


@pytest.mark.parametrize("code", [FINDS, CHILD])
def test_a_command(emulated: Any, code: str) -> None:
    done = command("-m", "emulated_gpu", sys.executable, "-c", code)
    assert done.stdout == "None\n", done.stderr


def test_workers_of_pytest(emulated: Any, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("from emulated_gpu import turned_on\n")
    (tmp_path / "test_it.py").write_text(PYTEST)
    arguments = ("-m", "pytest", "-q", "-p", "no:zarr", "-n", "1", "--rootdir", str(tmp_path), str(tmp_path))
    done = command(*arguments, GPU_SIGMOID_EMULATE="1")
    assert "1 passed" in done.stdout, done.stdout


def test_only_where_it_is_asked_for(emulated: Any) -> None:
    done = command("-c", f"from emulated_gpu import turned_on; print(turned_on.ON); {FINDS}")
    assert done.stdout.startswith("False\n"), done.stderr


def test_after_cupy_it_is_too_late(emulated: Any) -> None:
    code = "import cupy; from emulated_gpu import turned_on; print(turned_on.ON, turned_on.REASON)"
    assert command("-c", code, GPU_SIGMOID_EMULATE="1").stdout == "False CuPy was imported before it\n"


@pytest.mark.parametrize(
    ("part", "replacement", "reason"),
    [
        ("platform.machine", lambda: "aarch64", "x86-64"),
        ("shutil.which", lambda name: None, "gcc is not installed"),
        ("version", lambda package: "14.3.0", "it fits cupy-cuda13x 14.2, and 14.3.0 is installed"),
        ("cpu_flags", lambda: {"fma"}, "the CPU has no f16c"),
        ("importlib.util.find_spec", lambda name: None, "NVRTC is not installed"),
    ],
)
def test_refused_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, part: str, replacement: Any, reason: str
) -> None:
    monkeypatch.setattr(f"emulated_gpu.requirements.{part}", replacement)
    assert reason in str(requirements.why_not())


def test_a_command_says_why_not(emulated: Any, tmp_path: Path) -> None:
    done = command("-m", "emulated_gpu", "true", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "Error: there is no emulated GPU: gcc is not installed, which compiles its driver\n"
