"""What holds for every subcommand: standard output, the environment, where files may be written."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from helpers.command import refused, run, start, tree

import gpu_sigmoid as gs
from bench.command import main as bench_main
from gpu_sigmoid import configuration, environment
from gpu_sigmoid.cli import main


def test_info_says_what_is_missing_and_why() -> None:
    result = run("info")
    assert result.exit_code == 0
    assert gs.__version__ in result.output
    for name in ("numpy", "numba", "cupy", "torch", "jax", "dask", "CPU", "GPU"):
        assert f"\n{name}" in result.output
    if not gs.gpu_available():
        assert "not used: " in result.output


def test_what_is_missing_comes_with_a_command_to_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "installed", lambda distribution: None)
    missing = [line for line in run("info").output.splitlines() if "not installed: pip install" in line]
    assert [line.split()[0] for line in missing] == list(configuration.EXTRAS)
    extras = set(metadata("gpu-sigmoid").get_all("Provides-Extra") or ())
    for line in missing[1:]:
        named = re.findall(r'pip install "gpu-sigmoid\[([a-z0-9-]+)\]"', line)
        assert named and extras >= set(named)
    assert missing[0].endswith('pip install "numba"')


def test_the_help_says_every_choice_and_its_default() -> None:
    help = " ".join(run("verify", "--help").output.split())
    for name in (*gs.FUNCTIONS, "amplifying", "any", "wrong", "blocks"):
        assert re.search(rf"\b{name}\b", help), name
    for name, command in main.commands.items():
        text = " ".join(run(name, "--help").output.split()).partition(" Options: ")[2]
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.type, click.Choice):
                described = text.partition(f"{option.opts[0]} ")[2].partition(" --")[0]
                assert re.search("default: ", described, re.IGNORECASE), (name, option.name)


@pytest.mark.parametrize("group", [main, bench_main], ids=["gpu-sigmoid", "bench"])
def test_the_list_of_commands_has_whole_sentences(group: click.Group) -> None:
    listed = CliRunner().invoke(group, ["--help"], terminal_width=80).output.partition("Commands:")[2]
    assert set(group.commands) <= {*listed.split()}
    assert "..." not in listed


def test_errors_name_what_is_accepted() -> None:
    result = run("plot", "--function", "arctan")
    assert result.exit_code == 2
    assert "'log_sigmoid'" in result.output


@pytest.mark.parametrize("value", ["junk", "0", "1.5", "9" * 5000])
def test_an_unusable_thread_variable_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("GPU_SIGMOID_NUM_THREADS", value)
    monkeypatch.setattr(environment, "_threads", None)  # which tests that measure in this process set
    for arguments in (["info"], ["apply", "x.npy", "y.npy"], ["plot", "-o", tmp_path / "a.png"], ["verify"]):
        assert f"GPU_SIGMOID_NUM_THREADS is {repr(value)[:40]};" in refused(*arguments)
    assert os.listdir(tmp_path) == []


def test_help_comes_whatever_the_thread_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU_SIGMOID_NUM_THREADS", "junk")
    monkeypatch.setattr(environment, "_threads", None)
    for arguments in (["-h"], ["--help"], ["apply", "-h"], ["apply", "--help"]):
        assert run(*arguments).output.startswith("Usage: ")
        assert run(*arguments).exit_code == 0


@pytest.mark.parametrize("arguments", [["info"], ["--help"], ["--version"], ["apply", "--help"]])
def test_a_full_standard_output_is_an_error_of_one_line(tmp_path: Path, arguments: list[str]) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        process = start(tmp_path, *arguments, stdout=full)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors == "Error: standard output: No space left on device\n"


@pytest.mark.parametrize("arguments", [["info"], ["--help"]])
def test_who_closes_a_pipe_has_read_enough(tmp_path: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start(tmp_path, *arguments, stdout=writing)
    os.close(writing)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (1, "")


def test_a_closed_stream_does_not_get_mixed_up_with_a_file(tmp_path: Path) -> None:
    # otherwise the next file that is opened gets the stream's number, and all that is printed
    command = f"'{sys.executable}' -m gpu_sigmoid plot -o a.svg >&- 2>&- <&-"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.svg").read_text(encoding="utf-8").rstrip().endswith("</svg>")
    script = (
        "import os\nfrom gpu_sigmoid.cli import main\n"
        "try: main(['info'])\nexcept SystemExit: pass\n"
        "assert all(map(os.get_inheritable, range(3)))\n"
        "print(os.open('file', os.O_CREAT | os.O_RDWR), file=open('number', 'w'))"
    )
    command = f"'{sys.executable}' -c \"{script}\" >&- 2>&- <&-"
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path).returncode == 0
    assert int((tmp_path / "number").read_text(encoding="utf-8")) > 2


@pytest.mark.skipif(sys.getfilesystemencoding() == "ascii", reason="no process can be given such a name")
def test_a_name_that_the_encoding_cannot_say(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    process = start(tmp_path, "plot", "-o", "\u03c3.svg", env=environment)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "saved \\u03c3.svg\n", "")


@pytest.mark.parametrize(
    "arguments", [["apply", "x.npy", "y.npy"], ["verify", "sigmoid"]], ids=lambda a: a[0]
)
def test_a_log_has_no_progress_in_it(tmp_path: Path, arguments: list[str]) -> None:
    np.save(tmp_path / "x.npy", np.zeros(3))
    more = ["--mode", "value", "--dtype", "float16"] if arguments[0] == "verify" else []
    output, errors = start(tmp_path, *arguments, *more).communicate(timeout=120)
    assert (errors, "sigmoid" in output) == ("", True)


FILES = [["verify", "--json"], ["check-device", "-o"], ["plot", "-o"], ["demo", "-o"]]


@pytest.mark.parametrize("command", FILES, ids=lambda c: c[0])
@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("nowhere/a.png", lambda p: None, "nowhere does not exist; make that folder first"),
        ("file/a.png", lambda p: p.parent.write_text("precious"), "file is not a folder"),
        ("a.png", lambda p: (p / "kept").mkdir(parents=True), "it is a folder; name a file"),
        ("a.png", lambda p: os.mkfifo(p), "it is a device, a pipe"),
        ("a.png", lambda p: p.symlink_to(p.name), "it is a device, a pipe or a link to itself"),
        ("a.png", lambda p: p.symlink_to("nowhere/b.png"), "nowhere does not exist"),
        ("a" * 300 + ".png", lambda p: None, "File name too long"),
    ],
    ids=["no folder", "in a file", "folder", "pipe", "loop", "dangling", "long"],
)
def test_where_no_file_can_be_written_is_found_out_before_any_work(
    tmp_path: Path, command: list[str], name: str, make: Any, words: str
) -> None:
    make(tmp_path / name)
    before = tree(tmp_path)
    # measuring would take minutes, and check-device would say first that there is no GPU
    assert words in refused(*command, tmp_path / name)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("command", FILES, ids=lambda c: c[0])
def test_read_only_files_and_folders(tmp_path: Path, command: list[str]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write to what is read-only")
    (tmp_path / "a.png").write_text("precious")
    (tmp_path / "a.png").chmod(0o444)
    assert "it exists and is read-only" in refused(*command, tmp_path / "a.png")
    tmp_path.chmod(0o555)
    assert "is not writable" in refused(*command, tmp_path / "b.png")
    tmp_path.chmod(0o755)
    assert tree(tmp_path) == {"a.png": b"precious"}


def test_a_link_stays_and_what_it_leads_to_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.svg").write_text("old")
    (tmp_path / "figures" / "a.svg").chmod(0o640)
    (tmp_path / "latest.svg").symlink_to("figures/a.svg")
    assert run("plot", "-o", tmp_path / "latest.svg").exit_code == 0
    assert os.readlink(tmp_path / "latest.svg") == "figures/a.svg"
    assert "<svg" in (tmp_path / "figures" / "a.svg").read_text(encoding="utf-8")
    assert (tmp_path / "figures" / "a.svg").stat().st_mode & 0o777 == 0o640
    assert sorted(tree(tmp_path)) == ["figures", "figures/a.svg", "latest.svg"]


@pytest.mark.parametrize(
    "content",
    [
        *("", "5", "[]", "{}", "[" * 100_000, "\0\xff"),
        *('{"rows": 5}', '{"rows": []}', '{"rows": [{"function": "f"}]}', '{"rows": {}, "precious": 1}'),
        '{"unit": "a", "reference": "b"}',
        '{"unit": "a", "reference": "b", "rows": [], "notes": "precious"}',
    ],
)
def test_verify_adds_rows_to_nothing_but_its_own_reports(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content, encoding="latin-1")
    assert "not a report of this command" in refused("verify", "--json", path)
    assert path.read_text(encoding="latin-1") == content


def test_a_report_is_added_to(tmp_path: Path) -> None:
    for mode in ("value", "grad"):
        of = ("verify", "sigmoid", "--dtype", "float16", "--mode", mode)
        assert run(*of, "--json", tmp_path / "a.json").exit_code == 0
    rows = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]
    assert sorted(row["mode"] for row in rows) == ["grad", "value"]
    assert os.listdir(tmp_path) == ["a.json"]
