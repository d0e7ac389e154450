"""`gpu-sigmoid bench`: the throughput on this machine, beside a copy's."""

import json
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np

from gpu_sigmoid import environment, machine
from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.functions import FUNCTIONS

DEFAULT_DTYPES = ("float16", "float32", "float64")
SIZES = (100_000, 30_000_000)  # in a core's cache, and beyond any cache
ROUNDS, SAMPLE_SECONDS = 7, 0.005


@click.command()
@click.option(
    "--function", "functions", multiple=True, type=click.Choice(list(FUNCTIONS)), help="Default: all."
)
@click.option(
    "--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES), default=DEFAULT_DTYPES, show_default=True
)
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.IntRange(1),
    default=SIZES,
    show_default=True,
    help="Number of elements.",
)
@click.option("--json", "path", type=OutputFile(), help="A JSON file to write the rows to.")
def bench(functions: tuple[str, ...], dtypes: tuple[str, ...], sizes: tuple[int, ...], path: Path) -> None:
    """Time the functions with `out=`, in GB/s read and written.

    Measured on one CPU thread, on all allowed threads and, if there is one, on the GPU. For
    comparison, the last column gives the GB/s of copying as many elements with np.copyto on
    one thread, or with cupy.copyto on the GPU.
    """
    kinds = list(map(numpy_dtype, dtypes))
    allowed = environment.get_num_threads()
    places: list[tuple[Any, int]] = [(np, threads) for threads in dict.fromkeys((1, allowed))]
    places += [(environment.array_module(), 0)] if environment.gpu_available() else []
    click.echo(f"{'function':18}{'dtype':10}{'elements':>12}{'threads':>9}{'GB/s':>9}{'copy':>9}")
    rows = []
    for (xp, threads), name, dtype, size in product(places, functions or FUNCTIONS, kinds, sizes):
        environment.set_num_threads(threads or allowed)
        rates = measured(name, dtype, size, xp)
        on = (machine.gpu(), machine.ON_GPU) if threads == 0 else (machine.cpu(), machine.ON_CPU)
        case = {"function": name, "dtype": dtype.name, "size": size, "threads": threads}
        rows.append({**case, **rates, **machine.measured_on(*on)})
        figures = "".join(f"{rate:9.2f}" if rate >= 1 else f"{rate:9.2g}" for rate in rates.values())
        click.echo(f"{name:18}{dtype.name:10}{size:12,}{threads or 'GPU':>9}{figures}")
    if path is not None:
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")


def measured(name: str, dtype: np.dtype, size: int, xp: Any) -> dict[str, float]:
    """Return the rates of a function and of the copy, in the rounds that were disturbed least."""
    # Numbers in [0, 1) do for all functions: kernels have no branches, so that times do not depend on them.
    some = np.random.default_rng(0).random((len(FUNCTIONS[name].operands), 4096))
    operands = [xp.asarray(np.resize(s, size).astype(dtype)) for s in some]
    out = xp.copy(operands[0])  # its pages are there before the clock runs
    clock = machine.host_seconds if xp is np else machine.gpu_seconds

    def rate(arrays: int, call: Callable[[], Any]) -> float:
        call()  # compiles
        number = max(1, int(SAMPLE_SECONDS / max(clock(call, 1), 1e-9)))
        return arrays * out.nbytes / min(clock(call, number) / number for _ in range(ROUNDS)) / 1e9

    return {
        "gigabytes_per_second": rate(len(operands) + 1, partial(FUNCTIONS[name], *operands, out=out)),
        "copy_gigabytes_per_second": rate(2, partial(xp.copyto, out, operands[0])),
    }
