"""Python in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def python(
    *arguments: Any, cwd: Path | None = None, timeout: float | None = None, **variables: Any
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments and environment variables; one that is None is removed."""
    environment = os.environ | {name: str(value) for name, value in variables.items()}
    for name in (name for name, value in variables.items() if value is None):
        del environment[name]
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, timeout=timeout, capture_output=True, text=True)


def printed(*arguments: Any, **options: Any) -> str:
    """Run Python, which must succeed, and return what it prints."""
    done = python(*arguments, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


MEMORY = """
import resource, sys
from click.testing import CliRunner
from gpu_sigmoid.cli import main
import gpu_sigmoid as gs, numpy as np

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
"""


def memory_of_command(first: str, *arguments: Any, **options: Any) -> int:
    """Return by how many bytes the command `gpu-sigmoid` raises the memory of a process.

    `first` is Python code that imports and compiles what is not to be counted.
    """
    code = (
        f"{MEMORY}{first}\nbefore = most()\nresult = CliRunner().invoke(main, sys.argv[1:])\n"
        "assert result.exit_code == 0, result.output\nprint(most() - before)"
    )
    return int(printed("-c", code, *arguments, GPU_SIGMOID_NUM_THREADS=1, **options))
