"""`gpu-sigmoid bench`: the family's speed beside its peers'."""

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from gpu_sigmoid.bench import peers
from gpu_sigmoid.bench.cases import LAYOUTS, PRESETS, Case, preset
from gpu_sigmoid.bounds import DTYPES
from gpu_sigmoid.cli.files import PREFIX
from gpu_sigmoid.cli.paths import OutputFolder, check_file, resolved
from gpu_sigmoid.environment import gpu_available, why_no_gpu
from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.lowering import COMPONENTS


def several(name: str, choices: Any, text: str) -> Any:
    return click.option(f"--{name}", f"{name}s", multiple=True, type=click.Choice(list(choices)), help=text)


@click.command()
@click.option("--preset", "name", type=click.Choice(PRESETS), default="quick", show_default=True)
@several("function", FUNCTIONS, "Instead of the preset's; may be repeated, as the next options may.")
@several("component", COMPONENTS, "The value, derivatives, or both in one pass.")
@several("dtype", DTYPES, "Of the operands and the result.")
@several("layout", LAYOUTS, "Into an array that is there, a new one, or from every other element.")
@several("peer", dict.fromkeys(peers.HOST + peers.CUDA), "Default: all that are installed.")
@click.option("--size", "sizes", multiple=True, type=click.IntRange(1), help="Elements.")
@click.option("--threads", multiple=True, type=click.IntRange(1), help="Each in a process of its own.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--rounds", type=click.IntRange(3), default=15, show_default=True)
@click.option(
    "-o",
    "--output",
    type=OutputFolder(),
    help="Folder for throughput-DEVICE.json, .md and the charts. Default: the tables are printed.",
)
def bench(
    name: str, peers: tuple[str, ...], device: str, rounds: int, output: Path | None, **axes: Any
) -> None:
    """Time functions beside the peers installed, all in turns in one process.

    Figures are medians over the rounds. A peer's figure is how many times as long as
    ours it takes; `of copy` is the rate at which bytes are moved over that of a copy.
    """
    from gpu_sigmoid.bench import measure, report

    if output is not None:
        check_publishable(output, device)
    cases = chosen(name, device, {axis: values for axis, values in axes.items() if values})
    contenders = list(peers) or default_peers(device)
    with click.progressbar(length=len(cases), label="cases") as bar:
        rows = list(measure.measure_all(cases, rounds, contenders, lambda: bar.update(1)))
    content = report.document(rows, rounds)
    click.echo(report.tables(content))
    if output is not None:
        publish(content, output, device)


def chosen(name: str, device: str, axes: dict[str, Any]) -> list[Case]:
    """Return the preset's cases with the axes given in place of its own."""
    if device == "cuda":
        if "threads" in axes:
            raise click.UsageError("--threads is for --device cpu")
        if not gpu_available():
            raise click.ClickException(f"--device cuda: {why_no_gpu()}")
        axes = {**axes, "threads": (0,)}
    cases = [case for grid in preset(name) for case in replace(grid, **axes)]
    return list(dict.fromkeys(cases))


def default_peers(device: str) -> list[str]:
    return list(peers.CUDA if device == "cuda" else peers.HOST)


def publish(content: dict[str, Any], folder: Path, device: str) -> None:
    """Write the document, its tables and its charts to `folder`: all, or what was there stays."""
    from gpu_sigmoid.bench import charts, report

    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=PREFIX, dir=folder) as made:
        document, page = paths(Path(made), device)
        report.write(document, content)
        page.write_text(report.page(content))
        charts.draw(content, Path(made), device)
        places = {path: folder / path.name for path in sorted(Path(made).iterdir())}
        for place in places.values():
            check_file(place)
        for path, place in places.items():
            os.replace(path, resolved(place))


def check_publishable(folder: Path, device: str) -> None:
    """Raise for what `publish` would stumble over, which would come to light after the measuring."""
    if find_spec("matplotlib") is None:
        raise click.ClickException('--output: charts need matplotlib: pip install "gpu-sigmoid[demo]"')
    for path in paths(folder, device) if folder.exists() else ():
        check_file(path)


def paths(folder: Path, device: str) -> tuple[Path, Path]:
    return folder / f"throughput-{device}.json", folder / f"throughput-{device}.md"
