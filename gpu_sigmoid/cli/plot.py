"""`gpu-sigmoid plot`: a function and its derivative, in one figure."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from gpu_sigmoid.cli.figures import GRAD_COLOUR, VALUE_COLOUR, FigureFile, centred_axes, save
from gpu_sigmoid.functions import FUNCTIONS, glu
from gpu_sigmoid.methods import Function


@click.command()
@click.option("-o", "--output", type=FigureFile(), help="Default: NAME.png")
@click.option("--function", "name", type=click.Choice(list(FUNCTIONS)), default="sigmoid", show_default=True)
def plot(output: Path | None, name: str) -> None:
    """Draw a function of the family and its derivative."""
    save(draw(FUNCTIONS[name]), output or FigureFile().convert(f"{name}.png", None, None))


def draw(function: Function) -> Any:
    """Return axes with the value and the derivative drawn; other operands are 1."""
    axes = centred_axes()
    x = np.arange(-6, 6, 0.01)
    low, high = function.domain
    if np.isfinite((low, high)).any():
        # for logit: where the first curve leaves, the inverse of its range
        x = np.linspace(max(low + 0.0025, -6), min(high - 0.0025, 6), 1200)
        axes.set_ylim(*(-6, 12) if high > 0 else (-12, 1))
    # the operand that is no factor: of glu the second
    place = 1 if function is glu else 0
    operands = [x if i == place else 1.0 for i in range(len(function.operands))]
    value, *derivatives = function.methods["value_and_grad"](*operands)
    grad = derivatives[place]
    axes.plot(x, value, color=VALUE_COLOUR, linewidth=3, label=function.__name__)
    axes.plot(x, grad, color=GRAD_COLOUR, linewidth=3, label="derivative")
    # above the axes: the curves of most functions end in the upper right
    axes.legend(loc="upper right", bbox_to_anchor=(1, 1.14), frameon=False)
    return axes
