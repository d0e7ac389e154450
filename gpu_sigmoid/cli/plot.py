"""`gpu-sigmoid plot`: a function and its derivatives, in one figure and as numbers."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from gpu_sigmoid.cli.computation import accepted, option, options
from gpu_sigmoid.cli.figures import GRAD2_COLOUR, GRAD_COLOUR, VALUE_COLOUR, FigureFile, new_axes, save
from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile, check_file, check_new, refusal
from gpu_sigmoid.functions import FUNCTIONS, glu
from gpu_sigmoid.methods import Function

COLOURS = {"value": VALUE_COLOUR, "grad": GRAD_COLOUR, "grad2": GRAD2_COLOUR}
FORMATS = (".csv", ".npz")
# matplotlib's margins and ticks of larger numbers overflow
MOST_HEIGHT = 1e300


class DataFile(OutputFile):
    """An option's file for numbers; the suffix names the format."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path, or say why no numbers can be written there."""
        path = super().convert(value, param, ctx)
        if path.suffix.lower() not in FORMATS:
            raise refusal(path, f"the suffix must name the format; accepted are {', '.join(FORMATS)}")
        return path


@click.command()
@click.option("-o", "--output", type=FigureFile(), help="Default: NAME.png, which must not exist yet.")
@click.option("--function", "name", type=click.Choice(list(FUNCTIONS)), default="sigmoid", show_default=True)
@click.option(
    "--range", "ends", type=(float, float), metavar="LOW HIGH", help="Default: -6 6, cut to the domain."
)
@options
@click.option("--grad2", is_flag=True, help="Draw the second derivative too.")
@click.option("--data", type=DataFile(), help="Write the points of the curves to this .csv or .npz file.")
def plot(
    output: Path | None,
    name: str,
    ends: tuple[float, float] | None,
    grad2: bool,
    data: Path | None,
    **given: float | None,
) -> None:
    """Draw a function of the family and its derivative.

    A function of two operands is drawn against one of them, with the other set to 1, or to
    `--target`. An existing file is replaced only if an option names it: without `-o`, NAME.png
    must not exist yet.
    """
    function = FUNCTIONS[name]
    numbers = accepted(function, given)
    x = points(function, ends)
    curves = curves_at(function, x, grad2, numbers)
    check_height(function, x, curves, numbers)
    path, check = output, check_file
    if path is None:
        path, check = FigureFile().convert(f"{name}.png", None, None), check_new
    save(draw(function, x, curves, numbers), path, check)
    if data is not None:
        write_points(data, {operand(function): x, **curves})


def points(function: Function, ends: tuple[float, float] | None = None) -> np.ndarray:
    """Return the x to draw a function at: between two ends, or where it varies most."""
    low, high = function.domain
    if ends is None:
        if not np.isfinite((low, high)).any():
            return np.arange(-6, 6, 0.01)
        # for logit: where the first curve leaves, the inverse of its range
        return np.linspace(max(low + 0.0025, -6), min(high - 0.0025, 6), 1200)
    if not (low <= ends[0] < ends[1] <= high and np.isfinite(ends[1] - ends[0])):
        raise click.UsageError(
            f"--range {ends[0]} {ends[1]}: {function.__name__} needs finite numbers LOW < HIGH, "
            f"with a finite difference, within its domain, {low} to {high}"
        )
    return np.linspace(*ends, 1201)


def operand(function: Function) -> str:
    """Return the operand that a function is drawn against: the second for glu, whose first is a factor."""
    return function.operands[1 if function is glu else 0]


NO_NUMBERS: Mapping[str, float] = {}


def curves_at(
    function: Function, x: np.ndarray, grad2: bool = False, numbers: Mapping[str, float] = NO_NUMBERS
) -> dict[str, np.ndarray]:
    """Return the value and the derivatives by one operand; others are the numbers given, or 1."""
    place = function.operands.index(operand(function))
    operands = [x if i == place else numbers.get(name, 1.0) for i, name in enumerate(function.operands)]
    parameters = {name: number for name, number in numbers.items() if name not in function.operands}
    value, *derivatives = function.methods["value_and_grad"](*operands, **parameters)
    curves = {"value": value, "grad": derivatives[place]}
    if grad2:
        second = function.methods["grad2"](*operands, **parameters)
        # for two operands: by a twice, by a and b, by b twice
        curves["grad2"] = second[2 * place] if isinstance(second, tuple) else second
    return curves


def draw(
    function: Function,
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    numbers: Mapping[str, float] = NO_NUMBERS,
) -> Any:
    """Return axes with the curves drawn."""
    ends = x[0], x[-1]
    # the range of arange ends a step early
    axes = new_axes(centred=np.isclose(-ends[0], ends[1], rtol=0.002))
    others = {name: f"{number:g}" for name, number in numbers.items()}
    given = [name if name == operand(function) else others.pop(name, "1") for name in function.operands]
    given += [f"{name}={number}" for name, number in others.items()]
    labels = {"value": f"{function.__name__}({', '.join(given)})", "grad": "derivative"}
    for name, y in curves.items():
        label = labels.get(name, "second derivative")
        axes.plot(x, y, color=COLOURS[name], linewidth=3, label=label)
    axes.set_xlabel(operand(function))
    limit_height(axes, curves)
    # above the axes: the curves of most functions end in the upper right
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(curves), frameon=False)
    return axes


def limit_height(axes: Any, curves: Mapping[str, np.ndarray]) -> None:
    """Cut off derivatives that grow without bound and would flatten the other curves."""
    heights = np.concatenate([y[np.isfinite(y)] for y in curves.values()])
    value = np.abs(curves["value"][np.isfinite(curves["value"])])
    most = max(12.0, 2 * value.max(initial=0.0))
    low, high = heights.min(initial=0.0), heights.max(initial=0.0)
    if max(-low, high) > most:
        low, high = max(low, -most), min(high, most)
        axes.set_ylim(low - (low > -most), high + (high < most))


def check_height(
    function: Function, x: np.ndarray, curves: Mapping[str, np.ndarray], numbers: Mapping[str, float]
) -> None:
    """Raise if a curve has no finite point, or is too high for an axis."""
    for y in curves.values():
        heights = np.abs(y[np.isfinite(y)])
        if not heights.size or heights.max() > MOST_HEIGHT:
            given = "".join(f" {option(name)} {number:g}" for name, number in numbers.items())
            raise click.UsageError(
                f"{function.__name__}{given} cannot be drawn: from {x[0]:g} to {x[-1]:g} the function or its "
                f"derivative is not finite, or beyond {MOST_HEIGHT:g}"
            )


def write_points(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a file, as columns or arrays, with all their digits."""
    with written_whole(path) as temporary:
        if path.suffix.lower() == ".npz":
            np.savez(temporary, allow_pickle=False, **columns)
        else:
            with temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    click.echo(f"saved {click.format_filename(path)}")
