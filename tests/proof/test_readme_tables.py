"""README's generator, run as its user runs it, on files of the test's own."""

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from call_tables import through_jax, through_torch
from click.testing import CliRunner
from helpers.processes import python
from throughput_tables import SHOWN_FIRST

from bench.command import main

TOOL = Path(__file__).parents[2] / "tools" / "readme_tables.py"
README = """# before
<!-- accuracy -->
outdated
<!-- /accuracy -->
between
<!-- throughput -->
<!-- /throughput -->
<!-- calls -->
<!-- /calls -->
"""
CALLS = """# Calls
| call | elements | us | torch's, us | ratio |
|---|---:|---:|---:|---:|
| `silu(x)` | 10 | 3.0 | 1.0 | 3.0 (2.9-3.2) |
| `silu(x).backward(g)` | 10 | 12.0 | 10.0 | 1.2 (1.1-1.3) |
| `silu(x)` | 1,000 | 1,500.0 | 1,000.0 | 1.5 (1.4-1.6) |
| `SwiGLU()(x).backward(g)` | 1,000 | 2,000.0 | 1,000.0 | 2.0 (1.9-2.1) |
| `tanh(x)` | 1,000 | 50.0 | 100.0 | 0.50 (0.40-0.60) |
"""
JAX_CALLS = """
| `silu(x)` | 10 | 3.0 | 1.0 | 3.0 (2.9-3.2) |
| `jit(silu)(x)` | 10 | 12.0 | 10.0 | 1.2 (1.1-1.3) |
| `jit(grad(sum of silu))(x)` | 10 | 15.0 | 10.0 | 1.5 (1.4-1.6) |
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


def timed(
    contender: str, times: float, threads: int = 1, function: str = "sigmoid", layout: str = "out"
) -> dict:
    case = {"function": function, "mode": "value", "dtype": "float32", "size": 100_000}
    spread = {"median": times, "low": times, "high": times}
    return {
        "case": {**case, "layout": layout, "threads": threads},
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
    shown = [timed("gpu_sigmoid", 1.0), timed("numpy", 2.5), timed("torch", 0.9), timed("jax", 2.0)]
    strided = [
        timed("gpu_sigmoid", times, layout=name) for name, times in (("rows", 1.25), ("reversed", 1.5))
    ]
    write(f"{SHOWN_FIRST}.json", [*shown, *strided], machine="An Intel", **run_of_cpu)
    other = [timed("gpu_sigmoid", 0.4), timed("numpy", 9.0), timed("torch", 1.1)]
    write("throughput-cpu-amd.json", other, machine="An AMD", **run_of_cpu)
    write("avx2.json", [timed("gpu_sigmoid", 1.0)], **run_of_cpu)
    (tmp_path / "torch-calls.md").write_text(CALLS)
    (tmp_path / "jax-calls.md").write_text(JAX_CALLS)
    for name in ("throughput-gpu.json", "throughput-gpu-h100.json"):
        write(name, [timed("gpu_sigmoid", 1.0, 0), timed("torch", 0.875, 0)], note="Once.")
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    files = ("--file", folder / "README.md", "--results", folder)
    return python(TOOL, *files, *options)


def test_tables_and_pages(folder: Path) -> None:
    assert run(folder).returncode == 0
    text, accuracy, cpu, gpu = (
        (folder / name).read_text(encoding="utf-8")
        for name in ("README.md", "accuracy.md", f"{SHOWN_FIRST}.md", "throughput-gpu.md")
    )
    assert text.startswith(
        "# before\n<!-- accuracy -->\n| float32 | gpu_sigmoid | gpu_sigmoid, float64 | torch |"
    )
    assert "<!-- /accuracy -->\nbetween" in text and "outdated" not in text
    # the worst of several rows, rounded up; in brackets that of moderate operands
    assert "| `sigmoid` | 0.91 | 0.70 | 1.8e4 (2.45) |" in text
    assert "| `sigmoid` | 100,000 | 1.0 | 8.0 | 50% | 2.5 (2.5-2.5) |" in text
    assert "| `sigmoid` | 0.91 | 1.8e4 | 0.70 | ∞ |" in accuracy and "grad2" not in accuracy
    # what was not measured is left empty
    assert "| `silu` |  |  |  |" in text
    assert "torch: float32 all, float64 all" in accuracy
    assert f"[An Intel](bench/results/{SHOWN_FIRST}.md), date, medians of 7 rounds" in text
    assert cpu.startswith("# Throughput on An Intel") and "7 rounds" in cpu and "percentile" in cpu
    assert (folder / "avx2.md").exists()
    assert gpu.count("## a GPU\n\nMeasured on 2026-01-02. Once.") == 2
    assert "**float32, GPU**" in gpu and "| **0.88** (0.88-0.88) |" in gpu


def test_other_machines_and_layouts_are_summed_up(folder: Path) -> None:
    assert run(folder).returncode == 0
    text = " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    assert "On [An AMD](bench/results/throughput-cpu-amd.md) ours takes 0.40 times as long;" in text
    # numpy's differs by more than 3, torch's in who is faster
    assert "`sigmoid` of 100,000 9.0 instead of 2.5; torch `sigmoid` of 100,000 1.1 instead of 0.90;" in text
    assert "; jax: not timed." in text
    rows = "Long rows of a wider array take 1.2 times as long as contiguous arrays"
    assert f"{rows}, every other or reversed elements 1.5." in text


def test_calls_are_summed_up() -> None:
    assert through_torch(CALLS).partition("torch's own: ")[2] == (
        "on 10 elements a call 3.0, forward and backward 1.2; on 1,000 elements a call 0.50 to 1.5, "
        "forward and backward 2.0 (more than 1.15 times: `silu`, `swiglu`, whose derivative ours computes "
        "from x, not from a value)."
    )
    assert "a call 3.0, under `jit` 1.2, its gradient 1.5" in through_jax(JAX_CALLS)
    with pytest.raises(SystemExit, match="no table"):
        through_jax("# Calls")


def test_charts_of_other_rows_and_of_no_run_are_stale(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    run(folder)
    rows = [timed("gpu_sigmoid", 1.0), timed("numpy", 2.5)]
    sizes = [{**row, "case": {**row["case"], "size": size}} for row in rows for size in (1, 100, 100_000)]
    path = folder / "throughput-cpu-amd.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": sizes}))
    run(folder)
    chart = folder / "throughput-cpu-amd-float32-1.png"
    for change in (None, "rows", "left over"):
        if change == "rows":
            sizes[0]["gigabytes_per_second"] = 9.0
            path.write_text(json.dumps({**json.loads(path.read_text()), "rows": sizes}))
            run(folder)
        if change == "left over":
            chart = chart.rename(folder / "throughput-cpu-none-float32-1.png")
        stale = run(folder, "--check")
        assert stale.returncode == 1 and f"{chart} is stale" in stale.stderr
        if change != "left over":
            CliRunner().invoke(main, ["charts", str(folder)], catch_exceptions=False)
            assert run(folder, "--check").returncode == 0


def test_pages_of_no_run_are_named(folder: Path) -> None:
    run(folder)
    (folder / "throughput-cpu-none.md").write_text("")
    stale = run(folder, "--check")
    assert stale.returncode == 1 and "throughput-cpu-none.md belongs to no results" in stale.stderr


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


@pytest.mark.parametrize("name", ["accuracy-peers.json", "jax-calls.md"])
def test_missing_results_are_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    failed = run(folder)
    assert failed.returncode == 1 and f"{name}: no such file" in failed.stderr
