"""`gpu-sigmoid check-device`: the GPU's results against the CPU's, bit by bit."""

import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import click
import numpy as np

from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile
from gpu_sigmoid.device_check import bits, graph, large, layouts, libraries, report, streams
from gpu_sigmoid.device_check.subject import Device, Finding
from gpu_sigmoid.dtypes import numpy_dtype
from gpu_sigmoid.environment import gpu_description, why_no_gpu
from gpu_sigmoid.functions import FUNCTIONS

NO_GPU = 3
SECTIONS = ("bits", "layouts", "overlap", "large", "streams", "graph", "torch", "numba")
OF_LIBRARIES = ("torch", "numba")
DTYPES = ("float16", "bfloat16", "float32", "float64")

# After a GPU's fault, and where time is up, what was found before is not lost.
WRITTEN_EVERY_SECONDS = 10

Check = partial[Finding]


@click.command("check-device")
@click.option("--function", "names", multiple=True, type=click.Choice(list(FUNCTIONS)), help="Default: all.")
@click.option("--section", "sections", multiple=True, type=click.Choice(SECTIONS), help="Default: all.")
@click.option("--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES), help="Default: all.")
@click.option(
    "--stride",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Of float32's patterns, every so-manyth.",
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

    Exit status: 0 where all bits agree, 1 where some differ, 3 where no GPU is usable.
    """
    reason = why_no_gpu()
    if reason is not None:
        click.echo(f"check-device needs a GPU: {reason}", err=True)
        context.exit(NO_GPU)
    import cupy

    device = Device(cupy, cupy.asnumpy, streams=streams.cupy_streams(cupy))
    names, sections, dtypes = names or tuple(FUNCTIONS), sections or SECTIONS, dtypes or DTYPES
    checks = [(device, check) for check in chosen(names, sections, dtypes, stride)]
    checks += of_libraries(names, sections, dtypes)
    findings: list[Finding] = []

    def write() -> None:
        if output is not None:
            with written_whole(output) as temporary:
                report.write(temporary, report.document(findings, gpu_description()))

    written = time.monotonic()
    try:
        with click.progressbar(checks, label="checks", file=sys.stderr) as bar:
            for of_device, check in bar:
                findings.append(made(check, of_device))
                if time.monotonic() - written > WRITTEN_EVERY_SECONDS:
                    write()
                    written = time.monotonic()
    finally:
        write()
        click.echo(report.table(findings))
    context.exit(any(f.failure for f in findings))


def made(check: Check, device: Device) -> Finding:
    """Make a check. One that raises has failed, and the others are still made."""
    try:
        return check(device)
    except Exception as error:
        section, of_library = check.args or (check.func.__module__.rpartition(".")[2], check)
        subject = " ".join(getattr(value, "__name__", str(value)) for value in of_library.keywords.values())
        return Finding(section, subject, 0, f"raised {type(error).__name__}: {error}")


def chosen(
    names: tuple[str, ...], sections: tuple[str, ...], dtypes: tuple[str, ...], stride: int
) -> Iterator[Check]:
    """Yield the checks of the sections, each to be called with the device."""
    for name in names:
        function = FUNCTIONS[name]
        for dtype in map(numpy_dtype, dtypes):
            if "bits" in sections:
                every = stride if dtype.itemsize == 4 else 1
                for component in bits.MODES:
                    yield partial(
                        bits.check, function=function, component=component, dtype=dtype, stride=every
                    )
            if "layouts" in sections:
                for component in ("value_and_grad", "vjp"):
                    for view in layouts.VIEWS:
                        yield partial(
                            layouts.check_view, function=function, component=component, dtype=dtype, name=view
                        )
            if "overlap" in sections:
                for overlap in layouts.OVERLAPS:
                    yield partial(layouts.check_overlap, function=function, dtype=dtype, name=overlap)
            # some 4 GiB an array
            if "large" in sections and dtype == np.float16:
                yield partial(large.check_large, function=function, dtype=dtype)
            for section, check in (("streams", streams.check_streams), ("graph", graph.check_graph)):
                if section in sections:
                    for component, layout in product(streams.MODES, streams.STEPS):
                        yield partial(
                            check, function=function, component=component, dtype=dtype, layout=layout
                        )


def of_libraries(
    names: tuple[str, ...], sections: tuple[str, ...], dtypes: tuple[str, ...]
) -> list[tuple[Device, Check]]:
    """Return the checks of other libraries' arrays; for a library that is missing, say why."""
    functions = tuple(FUNCTIONS[name] for name in names)
    found: list[tuple[Device, Check]] = []
    for section in OF_LIBRARIES:
        if section not in sections:
            continue
        try:
            device = libraries.load(section)
        except ImportError as error:
            click.echo(f"section {section} skipped: {error}", err=True)
            continue
        checks = libraries.checks(section, device, functions, tuple(map(numpy_dtype, dtypes)))
        found += [(device, check) for check in checks]
    return found
