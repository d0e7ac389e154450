"""Progress bars on standard error, where they are not in the way of what is piped."""

import io
import sys
from typing import Any

import click


def progress(label: str, length: int, show_pos: bool = False) -> Any:
    """Return a progress bar, which writes nothing unless standard error is a terminal.

    In a log the bar would leave its bare label.
    """
    seen = sys.stderr is not None and sys.stderr.isatty()
    file = sys.stderr if seen else io.StringIO()
    return click.progressbar(length=length, label=label, show_pos=show_pos, file=file)
