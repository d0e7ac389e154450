"""`gpu-sigmoid apply`: a function over a file of any size."""

from pathlib import Path

import click

from gpu_sigmoid.cli.blocks import run_here, run_on_cluster
from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.signals import interruptible
from gpu_sigmoid.cli.stores import COMPONENTS, Task, open_job
from gpu_sigmoid.functions import FUNCTIONS, FunctionOfTarget

OF_ONE_ARRAY = [name for name, function in FUNCTIONS.items() if not isinstance(function, FunctionOfTarget)]


@click.command()
@click.argument("source", metavar="IN", type=click.Path(exists=True, path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--function", "name", type=click.Choice(OF_ONE_ARRAY), default="sigmoid", show_default=True)
@click.option("--what", type=click.Choice(list(COMPONENTS)), default="value", show_default=True)
@click.option("--column", help="Column of a .parquet file, array of a .zarr group.")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this Dask scheduler.")
def apply(
    source: Path, target: Path, name: str, what: str, column: str | None, scheduler: str | None
) -> None:
    """Compute a function of the numbers in IN and write it to OUT.

    Both are .npy files, Zarr arrays (.zarr) or Parquet files (.parquet), and may be
    larger than memory: blocks of a million elements, chunks or row groups are computed
    one by one. float16, float32 and float64 keep their dtype, bool and integers give
    float64. `--what both` gives an array with one more, leading axis, or two columns:
    the value, then the derivative. OUT appears when it is whole.
    """
    if scheduler is not None:
        # workers have working directories of their own
        source, target = source.resolve(), target.resolve()
    with interruptible() as checkpoint, written_whole(target) as temporary:
        job = open_job(source, target, temporary, Task(name, what), column)
        with click.progressbar(length=len(job.blocks), label=name) as bar:
            if scheduler is None:
                run_here(job, checkpoint, lambda: bar.update(1))
            else:
                run_on_cluster(job, scheduler, checkpoint, lambda: bar.update(1))
        job.close()
    click.echo(f"{target}: {what} of {name}, {job.summary}")
