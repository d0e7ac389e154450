"""`gpu-sigmoid apply`: a function over a .npy file, of any size."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.lib.format import open_memmap

from gpu_sigmoid.cli.files import interruptible, written_whole
from gpu_sigmoid.functions import FUNCTIONS, Function, FunctionOfTarget

BLOCK = 1 << 20
"""Elements computed at a time: what memory use is bounded by."""

OF_ONE_ARRAY = [name for name, function in FUNCTIONS.items() if not isinstance(function, FunctionOfTarget)]
METHODS = {"value": "__call__", "grad": "grad", "both": "value_and_grad"}


@click.command()
@click.argument("source", metavar="IN.npy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUT.npy", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--function", "name", type=click.Choice(OF_ONE_ARRAY), default="sigmoid", show_default=True)
@click.option("--what", type=click.Choice(list(METHODS)), default="value", show_default=True)
def apply(source: Path, target: Path, name: str, what: str) -> None:
    """Compute a function of the array in IN.npy and write it to OUT.npy.

    The files may be larger than memory. float16, float32 and float64 keep their dtype,
    bool and integers give float64. `--what both` writes an array with one more, leading
    axis: the value, then the derivative. OUT.npy appears when it is whole.
    """
    array = load(source)
    function = FUNCTIONS[name]
    try:
        probe = function(np.zeros(0, array.dtype))
    except TypeError as error:
        raise click.ClickException(f"{source}: {error}") from None
    shape = (2, *array.shape) if what == "both" else array.shape
    with interruptible() as checkpoint, written_whole(target) as temporary:
        result = open_memmap(temporary, "w+", probe.dtype, shape, fortran_order=array.flags.fnc)
        fill(function, what, array, result, checkpoint)
        result.flush()
    click.echo(f"{target}: {what} of {name}, {result.dtype} {result.shape}")


def load(path: Path) -> np.ndarray:
    try:
        array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise click.ClickException(f"{path} is not a readable .npy file of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise click.ClickException(f"{path} is an archive; a single .npy array is accepted")
    if array.dtype.kind == "V":
        hint = " (.npy cannot tell bfloat16: save it as float32)" if array.dtype.itemsize == 2 else ""
        raise click.ClickException(f"{path}: dtype {array.dtype} is not accepted{hint}")
    return array


def fill(
    function: Function, what: str, array: np.ndarray, result: np.ndarray, checkpoint: Callable[[], None]
) -> None:
    """Compute `result` block by block, in the order the elements have in the files."""
    order: Any = "F" if array.flags.fnc else "C"
    # a memory map reshaped in its own order is a view
    flat = array.reshape(-1, order=order)
    outs = result.reshape((2, -1) if what == "both" else -1, order=order)
    method = getattr(function, METHODS[what])
    with click.progressbar(range(0, flat.size, BLOCK), label=function.__name__) as starts:
        for start in starts:
            part = slice(start, start + BLOCK)
            out = (outs[0, part], outs[1, part]) if what == "both" else outs[part]
            method(flat[part], out=out)
            checkpoint()
