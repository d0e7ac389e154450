"""`python -m bench device`: the speed of the GPU's kernels."""

from functools import partial
from pathlib import Path

import click

from bench import gpu, report
from bench.clock import PERCENTILES
from gpu_sigmoid import machine
from gpu_sigmoid.cli.check_device import NO_GPU
from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile
from gpu_sigmoid.cli.progress import progress
from gpu_sigmoid.device_check.report import table
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.environment import why_no_gpu
from gpu_sigmoid.functions import FUNCTIONS


@click.command()
@click.option("--function", "names", multiple=True, type=click.Choice(list(FUNCTIONS)), default=["sigmoid"])
@click.option("--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES), help="Default: all.")
@click.option("-o", "--output", type=OutputFile(), help="A JSON file.")
@click.pass_context
def device(
    context: click.Context, names: tuple[str, ...], dtypes: tuple[str, ...], output: Path | None
) -> None:
    """Time kernels on a GPU, with a copy and other libraries.

    Launches are timed too.

    Exit status: 0 if every kernel that was timed gives the CPU's bits, 1 if one does not, 3 if
    no GPU is usable. `gpu-sigmoid check-device` makes a fuller comparison.
    """
    if reason := why_no_gpu():
        click.echo(f"bench device needs a GPU: {reason}", err=True)
        context.exit(NO_GPU)
    import cupy

    measures = [partial(gpu.throughput, case) for case in gpu.cases(names, dtypes or DTYPES)]
    measures += [partial(gpu.launch, name) for name in names]
    found = gpu.Timed()
    content: report.Record = {"rows": []}
    with progress(f"{len(measures)} measures", len(measures)) as bar:
        for measure in measures:
            found.add(measure(cupy, machine.gpu_seconds))
            findings = list(map(vars, found.findings))
            content = {
                "findings": findings,
                "skipped": found.skipped,
                "percentiles": PERCENTILES,
                "rows": report.records(found.rows),
            }
            # time on a GPU may end before the measures do
            if output is not None:
                with written_whole(output) as temporary:
                    report.write(temporary, content)
            bar.update(1)
    click.echo(report.tables(content))
    click.echo("\n".join([*(f"skipped: {reason}" for reason in found.skipped), table(found.findings)]))
    context.exit(any(finding.failure for finding in found.findings))
