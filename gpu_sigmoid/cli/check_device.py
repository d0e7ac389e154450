"""`gpu-sigmoid check-device`: the GPU's results against the CPU's, bit by bit."""

import time
from functools import partial
from itertools import product
from pathlib import Path

import click

from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile
from gpu_sigmoid.cli.progress import progress
from gpu_sigmoid.cli.signals import checkpoint, interruptible
from gpu_sigmoid.device_check import bits, large, layouts, libraries, report, streams
from gpu_sigmoid.device_check.subject import Check, Device, Finding
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.environment import gpu_description, why_no_gpu
from gpu_sigmoid.functions import FUNCTIONS

NO_GPU = 3
OF_LIBRARIES = ("torch", "numba")
SECTIONS = ("bits", "layouts", "overlap", "large", "streams", "graph", *OF_LIBRARIES)

# Findings are written meanwhile, so that they are not lost if the GPU fails or the time on it ends.
WRITTEN_EVERY_SECONDS = 10


@click.command("check-device")
@click.option("--function", "names", multiple=True, type=click.Choice(list(FUNCTIONS)), help="Default: all.")
@click.option("--section", "sections", multiple=True, type=click.Choice(SECTIONS), help="Default: all.")
@click.option("--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES), help="Default: all.")
@click.option(
    "--stride",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Check every N-th float32 bit pattern.",
)
@click.option("-o", "--output", type=OutputFile(), help="A JSON file.")
@click.pass_context
def check_device(
    context: click.Context,
    names: tuple[str, ...],
    sections: tuple[str, ...],
    dtypes: tuple[str, ...],
    stride: int,
    output: Path | None,
) -> None:
    """Compare the GPU's results with the CPU's, bit by bit.

    Exit status: 0 if all bits agree, 1 if some differ, 3 if no GPU is usable, and 128 plus the
    signal's number if a signal ended it. The findings up to then are printed and written.
    """
    reason = why_no_gpu()
    if reason is not None:
        click.echo(f"check-device needs a GPU: {reason}", err=True)
        context.exit(NO_GPU)
    import cupy

    of_cupy = Device(cupy, cupy.asnumpy, streams=streams.cupy_streams(cupy))
    checks = chosen(of_cupy, names or tuple(FUNCTIONS), sections or SECTIONS, dtypes or DTYPES, stride)
    findings: list[Finding] = []
    description = gpu_description()  # cannot be had after a fault

    def write() -> None:
        if output is not None:
            with written_whole(output) as temporary:
                report.write(temporary, findings, len(checks), description)

    written = time.monotonic()
    bar = progress(f"{len(checks)} checks", len(checks))
    try:
        with interruptible(at_once=True), bar:
            for check in checks:
                findings.append(check())
                bar.update(1)
                checkpoint()
                if time.monotonic() - written > WRITTEN_EVERY_SECONDS:
                    write()
                    written = time.monotonic()
    finally:
        if len(findings) < len(checks):
            click.echo(f"only {len(findings)} of {len(checks)} checks were made", err=True)
        click.echo(report.table(findings))
        write()
    context.exit(any(f.failure for f in findings))


def chosen(
    of_cupy: Device, names: tuple[str, ...], sections: tuple[str, ...], dtypes: tuple[str, ...], stride: int
) -> list[Check]:
    """Return the checks of the sections; of a library that is missing, say why there are none."""
    makers = {
        "bits": partial(bits.checks, of_cupy, stride=stride),
        "layouts": partial(layouts.checks, of_cupy),
        "overlap": partial(layouts.overlap_checks, of_cupy),
        "large": partial(large.checks, of_cupy),
        **{section: partial(streams.checks, section, of_cupy) for section in streams.COMPARISONS},
    }
    for section in OF_LIBRARIES:
        if section in sections:
            try:
                makers[section] = partial(libraries.checks, section, libraries.load(section))
            except ImportError as error:
                click.echo(f"section {section} skipped: {error}", err=True)
    return [
        check
        for name, dtype, section in product(names, dtypes, makers)
        if section in sections
        for check in makers[section](FUNCTIONS[name], numpy_dtype(dtype))
    ]
