"""Running the command line, in this process or in one of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gpu_sigmoid.cli import main
from helpers.systems import POSIX


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def done(*arguments: Any) -> str:
    """Run a command that must succeed; return what it prints."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def misused(*arguments: Any) -> str:
    """Run a command whose options must be refused; return the line that says why."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.output.startswith("Usage: "), result.output
    return result.output.splitlines(keepends=True)[-1]


def refused(*arguments: Any) -> str:
    """Run a command that must fail; return its one line of output."""
    result = run(*arguments)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1, result.output
    assert result.output.startswith("Error: "), result.output
    assert result.output.count("\n") == 1, result.output
    return result.output


def start(folder: Path, *arguments: Any, **options: Any) -> subprocess.Popen:
    """Start the command in a process of its own, which heeds signals."""
    command = [sys.executable, "-m", "gpu_sigmoid", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    if POSIX:
        options.setdefault("preexec_fn", heed_signals)
    return subprocess.Popen(command, cwd=folder, **options)


def heed_signals() -> None:
    # tests that nohup or a shell's & started ignore these, and what they start would too
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for_names(folder: Path, number: int, process: subprocess.Popen) -> None:
    """Wait until a folder has so many entries."""
    while len(os.listdir(folder)) < number:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def tree(folder: Path) -> dict[str, Any]:
    """Return everything in a folder by its path: a link's target, a file's content, None for a folder."""

    def content(path: Path) -> Any:
        if path.is_symlink():
            return os.readlink(path)
        return path.read_bytes() if path.is_file() else None

    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}
