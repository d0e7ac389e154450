"""`python -m bench compare`: two runs side by side."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench.command import main

CASE = {
    "function": "sigmoid",
    "mode": "value",
    "dtype": "float32",
    "size": 1000,
    "layout": "out",
    "threads": 1,
}


def run_of(path: Path, ours: float, **times_ours: float) -> Path:
    """Write a run with one case."""
    rows: list[dict[str, Any]] = [
        {
            "case": CASE,
            "contender": "gpu_sigmoid",
            "nanoseconds": {"median": ours},
            "times_ours": {"median": 1.0},
        },
        {"case": CASE, "contender": "copy", "nanoseconds": {"median": 0.1}, "times_ours": {"median": 0.1}},
    ]
    rows += [
        {
            "case": CASE,
            "contender": name,
            "nanoseconds": {"median": ours * times},
            "times_ours": {"median": times},
        }
        for name, times in times_ours.items()
    ]
    content = {"machine": "a machine", "date": "2026-11-26", "revision": "abc", "rows": rows}
    path.write_text(json.dumps(content))
    return path


def test_the_second_run_is_divided_by_the_first(tmp_path: Path) -> None:
    first = run_of(tmp_path / "first.json", 2.0, numpy=4.0, torch=1.1)
    second = run_of(tmp_path / "second.json", 2.2, numpy=5.0, torch=0.9)
    result = CliRunner().invoke(main, ["compare", str(first), str(second)])
    assert result.exit_code == 0, result.output
    assert "| our ns/element | 1 | 1.1 | 1.1 | 1.1 | 1.1 | 1.1 |" in result.output
    assert "| numpy, its time over ours | 1 | 1.2 |" in result.output
    assert "Of 2 comparisons with other libraries, 1 have another winner:" in result.output
    assert "- torch, `sigmoid` of 1,000 float32 (out, 1 thread): 1.1, then 0.90" in result.output


def test_a_run_is_no_other_than_itself(tmp_path: Path) -> None:
    run = str(run_of(tmp_path / "run.json", 2.0, numpy=4.0))
    result = CliRunner().invoke(main, ["compare", run, run])
    assert result.output.endswith("\n\nOf 1 comparisons with other libraries, none has another winner.\n")


def test_runs_without_a_common_case_are_refused(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "first.json", 2.0), tmp_path / "second.json"
    second.write_text(json.dumps({**json.loads(first.read_text()), "rows": []}))
    result = CliRunner().invoke(main, ["compare", str(first), str(second)])
    assert result.exit_code == 1
    assert result.output == "Error: the two runs have no case in common\n"


def test_the_heading_names_one_machine_or_both(tmp_path: Path) -> None:
    first, second = run_of(tmp_path / "first.json", 2.0), tmp_path / "second.json"
    for machine, heading in (("a machine", "on a machine"), ("another", ", on a machine and on another")):
        second.write_text(json.dumps({**json.loads(first.read_text()), "machine": machine}))
        result = CliRunner().invoke(main, ["compare", str(first), str(second)])
        assert result.output.splitlines()[0].removeprefix("# Two runs").strip() == heading


@pytest.mark.parametrize("content", ["", "\xff", "[]", "5", "{}", '{"rows": [{"function": "sigmoid"}]}'])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    first, second = run_of(tmp_path / "first.json", 2.0), tmp_path / "second.json"
    second.write_text(content, encoding="latin-1")
    result = CliRunner().invoke(main, ["compare", str(first), str(second)])
    assert result.exit_code == 1
    assert result.output == f"Error: {second} is not a JSON file of `python -m bench -o`\n"
