"""`gpu-sigmoid apply`: a function over a file of any size."""

import sys
from functools import partial
from pathlib import Path

import click

from gpu_sigmoid.cli.blocks import connected, run_here, run_on_cluster
from gpu_sigmoid.cli.computation import MODES, OFFERED, computation, options
from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.signals import checkpoint
from gpu_sigmoid.cli.stores import store_of


@click.command()
@click.argument("source", metavar="IN", type=click.Path(readable=False, path_type=Path))
@click.argument("destination", metavar="OUT", type=click.Path(readable=False, path_type=Path))
@click.option("--function", "name", type=click.Choice(list(OFFERED)), default="sigmoid", show_default=True)
@click.option("--what", type=click.Choice(list(MODES)), default="value", show_default=True)
@options
@click.option("--column", help="Column of a .parquet file, array of a .zarr group.")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on the workers of this Dask scheduler.")
def apply(
    source: Path,
    destination: Path,
    name: str,
    what: str,
    column: str | None,
    scheduler: str | None,
    **numbers: float | None,
) -> None:
    """Compute a function of the numbers in IN and write it to OUT.

    Both are .npy files, Zarr arrays (.zarr) or Parquet files (.parquet), and may be
    larger than memory: blocks of a few MiB, a row group or a chunk at a time are computed.
    float16, float32 and float64 keep their dtype, bool and integers give float64.
    `--what both` gives an array with one more, leading axis, or two columns: the value,
    then the derivative. Beside IN's numbers `--beta` and `--pos-weight` give a function's
    parameter, `--target` the target of `bce_with_logits`.

    OUT appears when it is whole, in place of an older file or Zarr array of that name;
    a group, any other folder and the input are never replaced. Where OUT is a symbolic
    link, what it leads to is replaced, and the link stays. Until then the result is in
    a folder .gpu-sigmoid-* beside it. If the program was killed, that can be deleted
    once you see that OUT is there: on some systems an older OUT is in it for a moment.

    Nulls of a Parquet column stay null. A Zarr array's attributes are copied as they
    are, those too that may no longer hold, such as units. Chunks that are missing
    read as the fill value, 0 or NaN, and the result is its function's. Any other
    fill value, and packing by attributes (_FillValue, scale_factor and the like), are
    refused: decode them first, for instance with xarray. Compression is kept where
    it is known to lose nothing, and else Zarr's own; filters are not kept.
    """
    computed = computation(name, what, numbers)
    store = store_of(source, destination)
    if scheduler is not None:
        # workers have working directories of their own
        source, destination = source.resolve(), destination.absolute()
    check = partial(store.check_target, source=source, column=column)
    with written_whole(destination, check) as temporary, connected(scheduler) as client:
        job = store.open_job(source, temporary, computed, column)
        try:
            # not among what the command prints, where it would be in the way of what is piped
            with click.progressbar(length=len(job.blocks), label=name, file=sys.stderr) as bar:

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
    click.echo(f"{click.format_filename(destination)}: {what} of {name}, {job.summary}")
