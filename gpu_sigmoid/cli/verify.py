"""`gpu-sigmoid verify`: errors against the definitions, and whether the bounds hold."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import click

from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile, refusal
from gpu_sigmoid.cli.progress import progress
from gpu_sigmoid.cli.signals import checkpoint, interruptible
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.environment import get_num_threads
from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.registry import FUNCTIONS

SAMPLE_STRIDE = 4099  # a prime: all exponents and all places of the significand are met
SAMPLE_COUNT, EXHAUSTIVE_COUNT = 2_000, 60_000
OPTIONS = (
    click.argument("functions", metavar="[FUNCTION]...", nargs=-1, type=click.Choice(list(FUNCTIONS))),
    click.option("--mode", "modes", multiple=True, type=click.Choice(MEASURED), help="Default: all."),
    click.option("--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES), help="Default: all."),
    click.option("--exhaustive", is_flag=True, help="All 2^32 float32 numbers, all pairs in 16 bits."),
    click.option(
        "--stride",
        type=click.IntRange(1),
        help=f"Measure every N-th float32 number. Default: {SAMPLE_STRIDE}, with --exhaustive 1.",
    ),
    click.option("--json", "path", type=OutputFile(), help="A JSON file to add the rows to."),
    click.option(
        "--jobs", type=click.IntRange(1), help="Number of processes. Default: one for each allowed thread."
    ),
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that `run` takes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command(epilog=f"FUNCTION is one of {', '.join(FUNCTIONS)}; by default all are measured.")
@options
def verify(**selection: Any) -> None:
    """Measure the largest errors, in units in the last place.

    They are measured against the definitions in higher precision. The operands are a sample
    of float32, all of float16 and bfloat16, and float64 numbers where results vary most or
    are hardest to get right. For each function the table gives the worst operand (at), the
    result (got) and the exact one in float64 (want), and the number of results that are not
    the nearest float (wrong), which is no failure where the bound is above one half. The exit
    status is 1 if an error exceeds its bound or the results of neighbours are in the wrong
    order. The progress bar counts blocks, the parts into which the operands are divided.

    Targets are constants, soft labels, numbers next to 0, to 1 and to sigmoid(x), and
    numbers outside [0, 1]; in 16 bits all targets in [0, 1] are combined with every 64th x
    (--exhaustive: with every x). The cotangent of a vjp is chosen to amplify the
    derivative's error (rows with "amplifying"), or has a random exponent ("any"); in 16
    bits it takes all significands ("all in [1, 2)"). The factor of glu and swiglu is chosen
    in the same ways. "any beta" and "any pos_weight" are random parameters.
    """
    run(**selection)


def run(
    functions: tuple[str, ...],
    modes: tuple[str, ...],
    dtypes: tuple[str, ...],
    exhaustive: bool,
    stride: int | None,
    path: Path | None,
    jobs: int | None,
    subject: Any = None,
) -> None:
    """Measure a `verify.subjects.Subject`, by default ours; print its rows and write them to `path`."""
    try:
        from gpu_sigmoid.verify import measure, parts, report
        from gpu_sigmoid.verify.subjects import OURS
    except ImportError as error:
        raise click.ClickException(f'{error}: pip install "gpu-sigmoid[verify]"') from None
    if path is not None and path.exists():
        check_report(path)
    subject = subject or OURS
    stride = stride or (1 if exhaustive else SAMPLE_STRIDE)
    count = EXHAUSTIVE_COUNT if exhaustive else SAMPLE_COUNT
    chosen = product(functions or FUNCTIONS, modes or MEASURED, dtypes or DTYPES)
    work = [part for each in chosen for part in parts.parts(*each, stride, count)]
    blocks = progress(f"{len(work)} blocks", len(work), show_pos=True)
    with interruptible(at_once=True), blocks as bar:

        def done() -> None:
            bar.update(1)
            checkpoint()

        with closing(measure.measure_all(work, jobs or get_num_threads(), done, subject)) as results:
            found = measure.merged(results)
    rows = [report.record(of, figures, stride, subject) for of, figures in found.items()]
    if path is not None:
        with written_whole(path) as temporary:
            if path.exists():
                shutil.copyfile(path, temporary)
            report.write(temporary, rows)
    click.echo("\n".join([report.HEAD, *map(report.line, rows)]))
    if any(map(report.broken, rows)):
        raise SystemExit(1)


def check_report(path: Path) -> None:
    """Raise unless rows can be added to a file, which would come to light after the measuring."""
    from gpu_sigmoid.verify import report

    try:
        content = json.loads(path.read_bytes())
        sorted({report.key(row) for row in content["rows"]})
        own = content.keys() == {*report.HEADING, "rows"}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        own = False
    if not own:
        raise refusal(path, "it exists and is not a report of this command; name another file")
