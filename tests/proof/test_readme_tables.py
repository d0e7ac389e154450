"""README's generator, run as its user runs it, on files of the test's own."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "readme_tables.py"
README = """# before
<!-- accuracy -->
old
<!-- /accuracy -->
between
<!-- throughput -->
<!-- /throughput -->
"""


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
    def write(name: str, rows: list[dict], **more: Any) -> None:
        (tmp_path / name).write_text(json.dumps({**more, "rows": rows}))

    ours = [row("gpu_sigmoid", 0.871), row("gpu_sigmoid", 0.902), row("gpu_sigmoid", 0.7, dtype="float64")]
    write("accuracy.json", [*ours, row("gpu_sigmoid", 9, "grad2", "float16")])
    write("accuracy-peers.json", [row("torch", 17386.2), row("torch", math.inf, dtype="float64")])
    write("accuracy-within-87.json", [row("torch", 2.441)])
    run_of_cpu = {name: name for name in ("date", "processor", "platform")}
    run_of_cpu |= {"device": None, "versions": {}, "rounds": 7, "percentiles": [10, 90]}
    write("throughput-cpu.json", [timed("gpu_sigmoid", 1.0), timed("numpy", 2.5)], **run_of_cpu)
    for name in ("throughput-gpu.json", "throughput-gpu-h100.json"):
        write(name, [timed("gpu_sigmoid", 1.0, 0), timed("torch", 0.875, 0)], note="Once.")
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def run(folder: Path, *options: str) -> subprocess.CompletedProcess:
    files = ("--file", str(folder / "README.md"), "--results", str(folder))
    return subprocess.run([sys.executable, str(TOOL), *files, *options], capture_output=True, text=True)


def test_tables_and_pages(folder: Path) -> None:
    assert run(folder).returncode == 0
    text, accuracy, cpu, gpu = (
        (folder / name).read_text(encoding="utf-8")
        for name in ("README.md", "accuracy.md", "throughput-cpu.md", "throughput-gpu.md")
    )
    assert text.startswith(
        "# before\n<!-- accuracy -->\n| float32 | gpu_sigmoid | gpu_sigmoid, float64 | torch |"
    )
    assert "<!-- /accuracy -->\nbetween" in text and "old" not in text
    # the worst of several rows, rounded up; in brackets that of moderate operands
    assert "| `sigmoid` | 0.91 | 0.70 | 1.8e4 (2.45) |" in text
    assert "| `sigmoid` | 100,000 | 1.0 | 8.0 | 50% | 2.5 (2.5-2.5) |" in text
    assert "| `sigmoid` | 0.91 | 1.8e4 | 0.70 | ∞ |" in accuracy and "grad2" not in accuracy
    # what was not measured is left empty
    assert "| `silu` |  |  |  |" in text
    assert "torch: float32 all, float64 all" in accuracy
    assert "processor, date, 7 rounds." in text
    assert "7 rounds" in cpu and "10th and 90th percentile" in cpu
    assert gpu.count("## a GPU\n\nMeasured on 2026-01-02. Once.") == 2
    assert "**float32, GPU**" in gpu and "| **0.88** (0.88-0.88) |" in gpu


def test_check_tells_stale_from_fresh(folder: Path) -> None:
    stale = run(folder, "--check")
    assert stale.returncode == 1 and "README.md is stale" in stale.stderr and "accuracy.md" in stale.stderr
    assert (folder / "README.md").read_text(encoding="utf-8") == README
    run(folder)
    assert run(folder, "--check").returncode == 0
    (folder / "throughput-gpu.md").write_text("by hand")
    stale = run(folder, "--check")
    assert stale.returncode == 1 and stale.stderr.count("is stale") == 1
    run(folder)
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
