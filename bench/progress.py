"""The progress bar of the benchmarks."""

import io
import sys
from collections.abc import Sequence
from typing import Any

import click


def progress(steps: Sequence[Any]) -> Any:
    """Return a bar on standard error; where that is no terminal, click would print its label alone."""
    return click.progressbar(steps, file=sys.stderr if sys.stderr.isatty() else io.StringIO())
