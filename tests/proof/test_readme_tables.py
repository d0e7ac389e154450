"""README's generator, run as its user runs it, on files of the test's own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "readme_tables.py"
README = "# before\n<!-- accuracy -->\nold\n<!-- /accuracy -->\nafter\n"
THROUGHPUT = "<!-- throughput -->\n<!-- /throughput -->\n<!-- throughput-gpu -->\n<!-- /throughput-gpu -->\n"


def row(subject: str, ulp: float, mode: str = "value", dtype: str = "float32") -> dict:
    return {
        "subject": subject,
        "function": "sigmoid",
        "mode": mode,
        "dtype": dtype,
        "operands": "all",
        "ulp": ulp,
    }


def timed(contender: str, times: float, threads: int = 1) -> dict:
    case = {"function": "sigmoid", "mode": "value", "dtype": "float32", "size": 100_000}
    spread = {"median": times, "low": times, "high": times}
    return {
        "case": {**case, "layout": "out", "threads": threads},
        "contender": contender,
        "nanoseconds": spread,
        "gigabytes_per_second": 8.0,
        "of_copy": 0.5,
        "times_ours": spread,
        "device": "a GPU" if threads == 0 else "a CPU",
        "date": "2026-01-02",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ours = [row("gpu_sigmoid", 0.871), row("gpu_sigmoid", 0.902), row("gpu_sigmoid", 0.7, dtype="float64")]
    theirs = [row("torch", 17386.2, "grad"), row("torch", float("inf"), dtype="float64")]
    (tmp_path / "accuracy.json").write_text(
        json.dumps({"rows": [*ours, row("gpu_sigmoid", 9, "grad2", "float16")]})
    )
    (tmp_path / "accuracy-peers.json").write_text(json.dumps({"rows": theirs}))
    (tmp_path / "README.md").write_text(README + THROUGHPUT)
    (tmp_path / "throughput-cpu.json").write_text(
        json.dumps({"rows": [timed("gpu_sigmoid", 1.0), timed("numpy", 2.5)]})
    )
    (tmp_path / "throughput-gpu.json").write_text(
        json.dumps({"rows": [timed("gpu_sigmoid", 1.0, 0), timed("torch", 1.5, 0)]})
    )
    return tmp_path


def run(folder: Path, *options: str) -> subprocess.CompletedProcess:
    files = ("--file", str(folder / "README.md"), "--results", str(folder))
    return subprocess.run([sys.executable, str(TOOL), *files, *options], capture_output=True, text=True)


def test_table(folder: Path) -> None:
    assert run(folder).returncode == 0
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# before\n<!-- accuracy -->\n| function | gpu_sigmoid float32 | torch float32 |")
    assert "<!-- /accuracy -->\nafter\n" in text and "old" not in text
    assert "**float32, 100,000 elements, 1 thread**" in text and "| 2.5x |" in text
    assert "Measured on a GPU, 2026-01-02." in text
    assert "**float32, 100,000 elements, GPU**" in text and "| 1.5x |" in text
    # the worst of several rows, rounded up; what was not measured is left empty
    assert "| `sigmoid` | 0.91 |  | 0.70 | ∞ |" in text
    assert "| `sigmoid.grad` |  | 1.8e4 |  |  |" in text
    assert "grad2" not in text
    assert "torch: float32 all, float64 all" in text


def test_check_tells_stale_from_fresh(folder: Path) -> None:
    stale = run(folder, "--check")
    assert stale.returncode == 1 and "stale" in stale.stderr
    assert (folder / "README.md").read_text(encoding="utf-8") == README + THROUGHPUT
    run(folder)
    assert run(folder, "--check").returncode == 0
    (folder / "accuracy-peers.json").write_text(json.dumps({"rows": [row("torch", 3.0)]}))
    assert run(folder, "--check").returncode == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("README.md", "no marks", "must each stand"),
        ("README.md", "<!-- /accuracy --><!-- accuracy -->", "must each stand"),
        ("accuracy.json", "{", "not a results file"),
        ("accuracy.json", "[]", "not a results file"),
    ],
)
def test_bad_files_are_named(folder: Path, name: str, content: str, message: str) -> None:
    (folder / name).write_text(content)
    failed = run(folder)
    assert failed.returncode == 1 and message in failed.stderr


def test_missing_results_are_named(folder: Path) -> None:
    (folder / "accuracy-peers.json").unlink()
    failed = run(folder)
    assert failed.returncode == 1 and "accuracy-peers.json: no such file" in failed.stderr
