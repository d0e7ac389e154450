"""`python -m bench`: throughput as a command."""

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.command import tree
from helpers.processes import python

import gpu_sigmoid as gs
from bench import charts, command, report
from bench.command import main

ROOT = Path(__file__).parents[2]
ONE_CASE = ("--function=sigmoid", "--mode=value", "--dtype=float32", "--size=1000", "--peer=numpy")


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def refused(*arguments: Any) -> str:
    """Return the one line in which the command refuses."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: ") and result.output.count("\n") == 1, result.output
    return result.output


def test_it_runs_from_a_clone() -> None:
    done = python("-m", "bench", *ONE_CASE, "--rounds", 3, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "**float32, 1 thread**" in done.stdout
    assert not done.stderr.strip()  # a progress bar is for a terminal


def test_it_writes_a_document_tables_and_charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "LARGE", 100)
    options = ["--rounds", "3", "--threads", "1", "--peer", "numpy", "--dtype", "float32"]
    functions = [f"--function={name}" for name in ("sigmoid", "silu", "logit")]
    sizes = [f"--size={size}" for size in (10, 100, 200)]
    result = run(*options, *functions, *sizes, "-o", tmp_path)
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "throughput-cpu.json").read_text())
    assert document["versions"]["gpu_sigmoid"] == gs.__version__
    assert {row["case"]["size"] for row in document["rows"]} == {10, 100, 200}
    assert (tmp_path / "throughput-cpu.md").read_text() == report.page(document)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "throughput-cpu-float32-1.png",
        "roofline-cpu-float32-1.png",
    }


def test_files_and_headings_have_the_names_given(tmp_path: Path) -> None:
    options = ("--name", "throughput-cpu-mine", "--machine", "My CPU", "--rounds", 3)
    result = run(*ONE_CASE, *options, "-o", tmp_path)
    assert result.exit_code == 0, result.output
    assert sorted(os.listdir(tmp_path)) == ["throughput-cpu-mine.json", "throughput-cpu-mine.md"]
    assert (tmp_path / "throughput-cpu-mine.md").read_text().startswith("# Throughput on My CPU\n")
    for name in ("a/b", "..", ""):
        refusal = run(*ONE_CASE, "--name", name)
        assert refusal.exit_code == 2 and "is not the name of a file" in refusal.output


def test_it_says_which_library_is_left_out_and_why() -> None:
    assert importlib.util.find_spec("tensorflow") is None or pytest.skip("TensorFlow is installed")
    done = python("-m", "bench", *ONE_CASE, "--peer", "tensorflow", "--rounds", 3, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "without tensorflow: No module named 'tensorflow'\n"


def test_it_finds_out_first_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder" / "throughput-cpu.md").mkdir(parents=True)
    before = tree(tmp_path)
    for name in ("file", "file/a/b"):
        assert "file is not a folder" in refused("-o", tmp_path / name)
    assert "it is a folder" in refused("-o", tmp_path / "folder")
    assert tree(tmp_path) == before


def test_it_makes_its_folder_and_leaves_what_else_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        assert run(*ONE_CASE, "--rounds", "3", "-o", folder).exit_code == 0
        assert sorted(os.listdir(folder)) == ["throughput-cpu.json", "throughput-cpu.md"]


def test_it_needs_matplotlib_before_it_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert "charts need matplotlib" in refused("-o", tmp_path)


def test_it_says_why_there_is_no_gpu() -> None:
    if gs.gpu_available():
        pytest.skip("there is a GPU")
    assert "--device cuda: there is no NVIDIA driver" in refused("--device", "cuda")
    result = run("device")
    assert result.exit_code == 3
    assert "bench device needs a GPU: there is no" in result.output


def test_more_threads_than_cpus_are_refused() -> None:
    result = run(*ONE_CASE, "--threads", 100_000)
    assert result.exit_code == 2
    assert "--threads 100000: this process may use" in result.output


def test_options_before_a_subcommand_are_not_dropped() -> None:
    result = run("--size", 5, "accuracy", "--peer", "numpy")
    assert result.exit_code == 2
    assert "put the options of accuracy after its name" in result.output


RESULTS = ROOT / "bench" / "results"
CPUS = sorted(path.name for path in RESULTS.glob("throughput-cpu-*.json"))


@pytest.mark.parametrize("name", ["accuracy.json", "accuracy-peers.json", *CPUS])
def test_committed_rows_say_where_and_when(name: str) -> None:
    rows = json.loads((RESULTS / name).read_text())["rows"]
    assert rows
    for row in rows:
        assert row["device"] and row["date"] and "gpu_sigmoid" in row["versions"]
