"""`gpu-sigmoid source`: the functions as a header for CUDA C++."""

import click

from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.lowering.constants import FORMATS
from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.source import cuda_source


@click.command()
@click.option(
    "--function", "functions", multiple=True, type=click.Choice(list(FUNCTIONS)), help="Default: all."
)
@click.option("--dtype", "dtypes", multiple=True, type=click.Choice(list(FORMATS)), help="Default: all.")
def source(functions: tuple[str, ...], dtypes: tuple[str, ...]) -> None:
    """Print the functions on scalars as CUDA C++.

    It is for nvcc, NVRTC and, on the host, g++: all functions with all their methods, for float and double,
    in namespace gpu_sigmoid:
    `sigmoid_value(x)`, `silu_grad(x)` and so on. Save it as a header:

        gpu-sigmoid source > logistic.cuh

    It is C++11. g++ needs -ffp-contract=off, and refuses -ffast-math.
    """
    methods = [FUNCTIONS[name].methods[mode] for name in functions or FUNCTIONS for mode in PUBLIC]
    click.echo(cuda_source(*methods, dtype=dtypes or tuple(FORMATS)), nl=False)
