"""`python -m bench`: throughput, and the subcommands."""

from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from bench import charts, measure, peers, report
from bench.accuracy import accuracy
from bench.cases import LAYOUTS, PRESETS, Case, preset
from bench.compare import compare
from bench.device import device
from bench.jax_calls import jax_calls
from bench.torch_calls import torch_calls
from gpu_sigmoid.cli.files import written_together
from gpu_sigmoid.cli.group import HELP, Commands
from gpu_sigmoid.cli.paths import OutputFolder, check_file
from gpu_sigmoid.cli.progress import progress
from gpu_sigmoid.cli.signals import checkpoint, interruptible
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.environment import why_no_gpu
from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.processors import usable


def several(name: str, choices: Any, text: str) -> Any:
    return click.option(f"--{name}", f"{name}s", multiple=True, type=click.Choice(list(choices)), help=text)


@click.group(
    cls=Commands,
    context_settings=HELP,
    invoke_without_command=True,
    commands=[accuracy, charts.charts, compare, device, jax_calls, torch_calls],
)
@click.option(
    "--preset",
    "name",
    type=click.Choice(PRESETS),
    default="quick",
    show_default=True,
    help="What to time: `full` is what bench/results holds.",
)
@several("function", FUNCTIONS, "Replaces the preset's. This option and the next ones may be repeated.")
@several("mode", PUBLIC, "The value, a derivative, or both in one pass.")
@several("dtype", DTYPES, "Dtype of the operands and the results.")
@several("layout", LAYOUTS, "Memory layout; `out` writes into an existing array, `new` allocates one.")
@several(
    "peer", dict.fromkeys(peers.HOST + peers.CUDA), "Libraries to compare. Default: all that are installed."
)
@click.option("--size", "sizes", multiple=True, type=click.IntRange(1), help="Number of elements.")
@click.option(
    "--threads",
    multiple=True,
    type=click.IntRange(1),
    help="CPU threads; each number is timed in its own process.",
)
@click.option("--device", "place", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--rounds", type=click.IntRange(3), default=11, show_default=True, help="Timings of each call.")
@click.option(
    "-o",
    "--output",
    type=OutputFolder(),
    help="Folder for NAME.json, NAME.md and the charts. Default: the tables are printed.",
)
@click.option(
    "--name", "stem", callback=lambda *given: file_name(given[-1]), help="NAME; default: throughput-DEVICE."
)
@click.option("--machine", help="What to call this machine in headings, such as `AMD Zen 5`.")
@click.pass_context
def main(
    context: click.Context,
    /,
    name: str,
    place: str,
    rounds: int,
    output: Path | None,
    stem: str | None,
    machine: str | None,
    **axes: Any,
) -> None:
    """Compare the functions' throughput with that of other libraries.

    All libraries take turns in one process. The tables give medians over the rounds, with the
    10th and the 90th percentile. A library's figure is its time divided by ours; below 1,
    in bold, it is faster. `of copyto` divides our bytes per second by those of np.copyto (on a
    GPU, cupy.copyto).
    """
    if context.invoked_subcommand is not None:
        if any(context.get_parameter_source(option) != ParameterSource.DEFAULT for option in context.params):
            raise click.UsageError(f"put the options of {context.invoked_subcommand} after its name")
        return
    stem = stem or f"throughput-{place}"
    if output is not None:
        check_publishable(output, stem)
    names = list(axes.pop("peers") or (peers.CUDA if place == "cuda" else peers.HOST))
    cases = chosen(name, place, {axis: values for axis, values in axes.items() if values})
    with interruptible(at_once=True), progress(f"{len(cases)} cases", len(cases)) as bar:

        def done() -> None:
            bar.update(1)
            checkpoint()

        with closing(measure.measure_all(cases, rounds, names, done)) as timed:
            rows = list(timed)
    content = report.document(rows, rounds, machine)
    click.echo(report.tables(content))
    if output is not None:
        publish(content, output, stem)


def chosen(name: str, place: str, axes: dict[str, Any]) -> list[Case]:
    """Return the preset's cases with the axes given in place of its own."""
    if place == "cuda":
        if "threads" in axes:
            raise click.UsageError("--threads is for --device cpu")
        if reason := why_no_gpu():
            raise click.ClickException(f"--device cuda: {reason}")
        axes = {**axes, "threads": (0,)}
    elif (most := max(axes.get("threads", (1,)))) > (cpus := usable()):
        raise click.UsageError(f"--threads {most}: this process may use {cpus} CPU{'s' if cpus > 1 else ''}")
    cases = [case for grid in preset(name) for case in replace(grid, **axes)]
    return list(dict.fromkeys(cases))


def file_name(given: str | None) -> str | None:
    """Return the name that files are to have, if it names files in the folder itself."""
    if given is not None and (Path(given).name != given or given in ("", ".", "..")):
        raise click.BadParameter(f"{given!r} is not the name of a file without its folder")
    return given


def publish(content: report.Record, folder: Path, stem: str) -> None:
    """Write the document, its tables and its charts to `folder`: all, or what was there stays."""
    with written_together(folder) as made:
        document, page = paths(made, stem)
        report.write(document, content)
        page.write_text(report.page(content), encoding="utf-8")
        charts.draw(content, made, stem)


def check_publishable(folder: Path, stem: str) -> None:
    """Raise for what `publish` would stumble over, which would come to light after the measuring."""
    if find_spec("matplotlib") is None:
        raise click.ClickException('--output: charts need matplotlib: pip install -e ".[bench]"')
    for path in paths(folder, stem) if folder.exists() else ():
        check_file(path)


def paths(folder: Path, stem: str) -> tuple[Path, Path]:
    return folder / f"{stem}.json", folder / f"{stem}.md"
