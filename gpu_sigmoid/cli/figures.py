"""The style of the figures, and saving them."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile, check_file, one_line, refusal

VALUE_COLOUR = "#307EC7"
GRAD_COLOUR = "#9621E2"
GRAD2_COLOUR = "#E69F00"


def new_axes(centred: bool = True) -> Any:
    """Return the axes of a new 9 x 5 inch figure, with the left spine in the centre or at the edge.

    Its labels are at the left edge, because curves would cross labels beside a spine in the centre.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise click.ClickException('figures need matplotlib: pip install "gpu-sigmoid[demo]"') from None
    axes = Figure(figsize=(9, 5)).add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_ticks_position("bottom")
    axes.yaxis.set_ticks_position("left")
    if centred:
        axes.spines["left"].set_position("center")
        points_an_inch = 72
        axes.tick_params(axis="y", pad=axes.bbox.width / axes.figure.dpi * points_an_inch / 2)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    return axes


class FigureFile(OutputFile):
    """An option's file for a figure; the suffix names the format."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or say why no figure can be saved there."""
        path = super().convert(value, param, ctx)
        accepted = [f".{name}" for name in new_axes().figure.canvas.get_supported_filetypes()]
        # matplotlib would add a missing suffix and replace a file that was not named
        if path.suffix.lower() not in accepted:
            raise refusal(
                path, f"the suffix must name the format; accepted are {', '.join(sorted(accepted))}"
            )
        return path


def save(axes: Any, path: Path, check: Callable[[Path], None] = check_file) -> None:
    """Save a figure; write nothing if it cannot be drawn or `check` refuses the existing file."""
    # in memory first, since Pillow ignores a full disk
    image = io.BytesIO()
    try:
        axes.figure.savefig(image, format=path.suffix[1:].lower())
    # some formats use other programs, which fail in various ways
    except Exception as error:
        raise refusal(path, one_line(error)) from None
    with written_whole(path, check) as temporary:
        # a view of it, left behind by a failure, crashes the garbage collector of Python 3.12.1
        temporary.write_bytes(image.getvalue())
    click.echo(f"saved {click.format_filename(path)}")
