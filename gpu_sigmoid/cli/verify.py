"""`gpu-sigmoid verify`: errors against the definitions, and whether the bounds hold."""

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import click

from gpu_sigmoid.cli.files import written_whole
from gpu_sigmoid.cli.paths import OutputFile, refusal
from gpu_sigmoid.cli.signals import checkpoint, interruptible
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.environment import get_num_threads
from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.registry import FUNCTIONS

SAMPLE_STRIDE = 4099  # a prime: all exponents and all places of the significand are met
SAMPLE_COUNT, EXHAUSTIVE_COUNT = 2_000, 60_000
OPTIONS = (
    click.argument("functions", metavar="[FUNCTION]...", nargs=-1, type=click.Choice(list(FUNCTIONS))),
    click.option("--mode", "modes", multiple=True, type=click.Choice(MEASURED)),
    click.option("--dtype", "dtypes", multiple=True, type=click.Choice(DTYPES)),
    click.option("--exhaustive", is_flag=True, help="All 2^32 float32, all pairs of 16 bits."),
    click.option("--stride", type=click.IntRange(1), help="Every so many-th float32 operand."),
    click.option("--json", "path", type=OutputFile(), help="Rows are added to it."),
    click.option("--jobs", type=click.IntRange(1), help="Processes; default: one per thread allowed."),
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that `run` takes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@options
def verify(**selection: Any) -> None:
    """Measure the largest errors against the definitions in higher precision.

    In units in the last place, over a sample of float32, all of float16 and bfloat16,
    and float64 operands dense and adversarial. Prints the worst operand, what came out
    and what is right, and how many results are not the nearest float. Exits with
    status 1 if a bound is broken or neighbours are in the wrong order.

    A target is constant, soft, next to 0, 1 and sigmoid(x), or outside [0, 1]; in 16
    bits all of [0, 1] stand beside every 64th x (--exhaustive: every x). The cotangent
    of a vjp is chosen to amplify the derivative's error, or has any exponent; in 16
    bits it has all significands.
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
        from gpu_sigmoid.verify import measure, report
        from gpu_sigmoid.verify.subjects import OURS
    except ImportError as error:
        raise click.ClickException(f'{error}: pip install "gpu-sigmoid[verify]"') from None
    if path is not None and path.exists():
        check_report(path)
    subject = subject or OURS
    stride = stride or (1 if exhaustive else SAMPLE_STRIDE)
    count = EXHAUSTIVE_COUNT if exhaustive else SAMPLE_COUNT
    chosen = product(functions or FUNCTIONS, modes or MEASURED, dtypes or DTYPES)
    work = [part for each in chosen for part in measure.parts(*each, stride, count)]
    blocks = click.progressbar(length=len(work), label=f"{len(work)} blocks", show_pos=True, file=sys.stderr)
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
        raise refusal(path, "it is there and no report of this command; name another file")
