"""The style of the figures, and saving them."""

from pathlib import Path
from typing import Any

import click

VALUE_COLOUR = "#307EC7"
GRAD_COLOUR = "#9621E2"


def centred_axes() -> Any:
    """Return the axes of a new 9 x 5 inch figure, the left spine in the centre."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise click.ClickException('figures need matplotlib: pip install "gpu-sigmoid[demo]"') from None
    axes = Figure(figsize=(9, 5)).add_subplot()
    axes.spines["left"].set_position("center")
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_ticks_position("bottom")
    axes.yaxis.set_ticks_position("left")
    return axes


def save(axes: Any, path: Path) -> None:
    try:
        axes.figure.savefig(path)
    except (ValueError, OSError) as error:
        raise click.ClickException(f"cannot save {path}: {error}") from None
    click.echo(f"saved {path}")
