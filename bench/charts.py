"""The charts of a run: throughput against size, and every function beside a copy.

`python -m bench charts FOLDER` redraws the charts of a run from its rows.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from bench import peers
from bench.measure import BASELINE, OURS
from bench.report import Record, on
from gpu_sigmoid.cli.files import written_together
from gpu_sigmoid.modes import label

INK, BLUE = "0.35", "#307EC7"
STYLE: dict[str, dict[str, Any]] = {
    OURS: {"color": BLUE, "linewidth": 3, "marker": "o", "zorder": 3},
    BASELINE: {"color": INK, "linestyle": "--", "marker": "."},
}
# colours that the colour-blind tell apart (after Okabe and Ito), and a marker each, the same in all charts
STYLE |= {
    name: {"color": colour, "marker": marker}
    for name, colour, marker in zip(
        peers.HOST,
        ("#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#9621E2", "#8C6D31"),
        "s^vDPX<>",
        strict=True,
    )
}
# those that are timed on a GPU only, beside torch alone
STYLE |= {"cupy": STYLE["numpy"], "triton": STYLE["jax"]}
# From this number of elements on, operands come from memory, like those of a copy.
LARGE = 10_000_000


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def charts(folder: Path) -> None:
    """Redraw the charts of throughput files.

    They are those of FOLDER/throughput-*.json; nothing is measured.
    """
    runs = sorted(folder.glob("throughput-*.json"))
    if not runs:
        raise click.ClickException(f"{click.format_filename(folder)} has no throughput-*.json")
    with written_together(folder) as made:
        for run in runs:
            content = json.loads(run.read_text(encoding="utf-8"))
            draw(content, made, run.stem)
        names = sorted(path.name for path in made.iterdir())
    click.echo(f"drawn: {', '.join(names)}")


def draw(content: Record, folder: Path, stem: str) -> None:
    """Draw all charts that the run has rows for."""
    for name, drawing in planned(content, stem):
        drawing(folder / name)


def planned(content: Record, stem: str) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Yield the names of all charts that the run has rows for, and what draws each."""
    device = stem.removeprefix("throughput-")
    cases = [row["case"] for row in content["rows"] if row["case"]["layout"] == "out"]
    for dtype, threads in dict.fromkeys((case["dtype"], case["threads"]) for case in cases):
        name = f"{device}-{dtype}-{threads}.png"
        those = [case for case in cases if (case["dtype"], case["threads"]) == (dtype, threads)]
        if len({case["size"] for case in those if subject(case) == "sigmoid"}) > 2:
            yield f"throughput-{name}", partial(draw_throughput, content, dtype, threads)
        for size in {case["size"] for case in those if case["size"] >= LARGE}:
            if len({subject(case) for case in those if case["size"] == size}) > 2:
                yield f"roofline-{name}", partial(draw_roofline, content, size, dtype, threads)


def stale(content: Record, folder: Path, stem: str) -> Iterator[Path]:
    """Yield the charts in a folder that are missing, or were drawn from other rows."""
    for name, _ in planned(content, stem):
        path = folder / name
        if not path.exists() or mark(content).encode() not in path.read_bytes():
            yield path


def mark(content: Record) -> str:
    """Return the description in a chart's file, which identifies the rows that it was drawn from."""
    return f"rows {sha256(json.dumps(content['rows']).encode()).hexdigest()}"


def axes(title: str, height: float) -> Any:
    from matplotlib.figure import Figure

    plot = Figure(figsize=(9, height), layout="constrained").add_subplot()
    plot.spines[["top", "right"]].set_visible(False)
    plot.set_title(title, loc="left")
    return plot


def draw_throughput(content: Record, dtype: str, threads: int, path: Path) -> None:
    """Draw the sigmoid's bytes per second against size, a line per contender."""
    rows = rows_of(content, dtype, threads)
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if subject(row["case"]) == "sigmoid":
            point = (row["case"]["size"], row["gigabytes_per_second"])
            lines.setdefault(row["contender"], []).append(point)
    plot = axes(f"sigmoid, {dtype}, {on(threads)}\n{place(content)}", 5)
    for name, points in lines.items():
        plot.plot(*zip(*sorted(points), strict=True), markersize=5, label=name, **STYLE.get(name, {}))
    plot.set(xscale="log", yscale="log", xlabel="elements", ylabel="GB/s, read and written")
    save(plot, path, mark(content))


def draw_roofline(content: Record, size: int, dtype: str, threads: int, path: Path) -> None:
    """Draw each function's bytes per second on large arrays, beside those of its rounds' copy."""
    rows = [row for row in rows_of(content, dtype, threads) if row["case"]["size"] == size]
    copies, ours, torch = (
        {subject(row["case"]): row["gigabytes_per_second"] for row in rows if row["contender"] == name}
        for name in (BASELINE, OURS, "torch")
    )
    names = list(ours)[::-1]
    places = {name: place for place, name in enumerate(names)}
    title = f"{size:,} elements, {dtype}, {on(threads)}\n{place(content)}"
    plot = axes(title, 0.5 * len(names) + 1.4)
    plot.barh(names, [ours[n] for n in names], 0.6, color=BLUE, label=OURS)
    ends = [[places[n] + side for n in copies if n in places] for side in (-0.42, 0.42)]
    plot.vlines(
        [copies[n] for n in copies if n in places],
        *ends,
        color=INK,
        linewidth=2,
        label="a copy in the same rounds",
    )
    common = [n for n in names if n in torch]
    plot.scatter(
        [torch[n] for n in common],
        common,
        60,
        marker="D",
        color="#E69F00",
        edgecolor="black",
        label="torch",
        zorder=3,
    )
    plot.set_xlim(left=0)
    plot.set_xlabel("GB/s, read and written")
    save(plot, path, mark(content))


def rows_of(content: Record, dtype: str, threads: int) -> list[Record]:
    wanted = {"dtype": dtype, "threads": threads, "layout": "out"}
    return [row for row in content["rows"] if wanted.items() <= row["case"].items()]


def place(content: Record) -> str:
    """Return the line that says which machine it was."""
    return content.get("machine") or content["rows"][0]["device"]


def save(plot: Any, path: Path, description: str) -> None:
    """Save a figure and a description of it, with the legend outside the axes, where it covers nothing."""
    plot.figure.legend(loc="outside right upper", frameon=False)
    plot.figure.savefig(path, dpi=110, metadata={"Description": description})


def subject(case: Record) -> str:
    return label(case["function"], case["mode"])
