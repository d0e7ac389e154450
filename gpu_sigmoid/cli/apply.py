"""`gpu-sigmoid apply`: a function over a file of any size."""

from functools import partial
from pathlib import Path

import click

from gpu_sigmoid.cli.blocks import connected, run_here, run_on_cluster
from gpu_sigmoid.cli.computation import MODES, computation, options
from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.progress import progress
from gpu_sigmoid.cli.signals import checkpoint
from gpu_sigmoid.cli.stores import store_of
from gpu_sigmoid.functions import FUNCTIONS


@click.command()
@click.argument("source", metavar="IN", type=click.Path(readable=False, path_type=Path))
@click.argument("destination", metavar="OUT", type=click.Path(readable=False, path_type=Path))
@click.option("--function", "name", type=click.Choice(list(FUNCTIONS)), default="sigmoid", show_default=True)
@click.option("--what", type=click.Choice(list(MODES)), default="value", show_default=True)
@options
@click.option(
    "--column",
    "columns",
    multiple=True,
    help="The column of a .parquet file (twice for glu and swiglu), or the array of a .zarr group.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this Dask scheduler.")
def apply(
    source: Path,
    destination: Path,
    name: str,
    what: str,
    columns: tuple[str, ...],
    scheduler: str | None,
    **numbers: float | None,
) -> None:
    """Compute a function of the numbers in IN and write it to OUT.

    Both are .npy files, Zarr arrays (.zarr) or Parquet files (.parquet), and may be
    larger than memory: the command works on blocks of a few MiB, on row groups or on chunks.
    float16, float32 and float64 keep their dtype; bool and integers give float64.
    `--what both` writes the value and the derivative, along a new first axis or in two
    columns. `glu` and `swiglu` take the halves of the last axis, so that the result has half
    its length, or two columns; `grad` writes their derivatives by both, `both` the value and
    these, along a new first axis or in columns. `--beta` and `--pos-weight` set a function's
    parameter, `--target` the target of `bce_with_logits`.

    Exit status: 0 if OUT is complete, 1 for an error, 2 for options that are unknown or do not
    go together, and 128 plus the signal's number if a signal ended it.

    OUT is written under a temporary name in a folder .gpu-sigmoid-* beside it and renamed
    once it is complete. It replaces an older file or Zarr array without asking, but never a group,
    any other folder or the input. If OUT is a symbolic link, the link stays and its target is
    replaced. If the program is killed, the temporary folder may stay behind; delete it once
    you have seen that OUT exists, because on some systems it briefly holds the older OUT.

    The columns of a Parquet result are named after the function; others are not copied.
    Nulls stay null. The attributes of a Zarr array are copied unchanged, even those that
    may no longer apply, such as units. Missing chunks count as the fill value, which must
    be 0 or NaN. Other fill values, and numbers packed by attributes (_FillValue,
    scale_factor and so on), are refused: decode them first, for instance with xarray.
    Lossless compression is kept, anything else is replaced by Zarr's default; filters are
    not kept.
    """
    computed = computation(name, what, numbers)
    store = store_of(source, destination)
    named = click.format_filename(destination)
    if scheduler is not None:
        # workers have working directories of their own
        source, destination = source.resolve(), destination.absolute()
    check = partial(store.check_target, source=source, columns=columns)
    with written_whole(destination, check) as temporary, connected(scheduler) as client:
        job = store.open_job(source, temporary, computed, columns)
        try:
            with progress(name, len(job.blocks)) as bar:

                def done() -> None:
                    bar.update(1)
                    checkpoint()

                if client is None:
                    run_here(job, done)
                else:
                    run_on_cluster(job, client, done)
            job.close()
        except BaseException:
            job.abandon()
            raise
    click.echo(f"{named}: {computed.label}, {job.summary}")
