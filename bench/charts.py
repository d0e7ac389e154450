"""The figures of a run: throughput against size, and every function against the baseline."""

from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import BASELINE, OURS
from bench.report import Record
from gpu_sigmoid.modes import label

INK = "0.35"
STYLE: dict[str, dict[str, Any]] = {
    OURS: {"color": "#307EC7", "linewidth": 3},
    BASELINE: {"color": INK, "linestyle": "--"},
}
OTHERS = [
    "tab:orange",
    "tab:green",
    "tab:red",
    "tab:purple",
    "tab:brown",
    "tab:pink",
    "tab:olive",
    "tab:cyan",
]
# Elements from which on operands come from memory, and the copy is the roof.
LARGE = 10_000_000


def draw(content: Record, folder: Path, device: str) -> None:
    """Draw what the run has rows for."""
    sizes: dict[tuple, set[int]] = {}
    functions: dict[tuple, set[str]] = {}
    for case in (row["case"] for row in content["rows"] if row["case"]["layout"] == "out"):
        kind = (case["dtype"], case["threads"])
        functions.setdefault((case["size"], *kind), set()).add(subject(case))
        if (case["function"], case["mode"]) == ("sigmoid", "value"):
            sizes.setdefault(kind, set()).add(case["size"])
    for (dtype, threads), measured in sizes.items():
        if len(measured) > 2:
            draw_throughput(content, dtype, threads, folder / f"throughput-{device}-{dtype}-{threads}.png")
    for (size, dtype, threads), names in functions.items():
        if len(names) > 2 and size >= LARGE:
            draw_roofline(content, size, dtype, threads, folder / f"roofline-{device}-{dtype}-{threads}.png")


def axes(title: str, height: float) -> Any:
    from matplotlib.figure import Figure

    plot = Figure(figsize=(9, height), layout="constrained").add_subplot()
    plot.spines[["top", "right"]].set_visible(False)
    plot.set_title(title, loc="left")
    return plot


def draw_throughput(content: Record, dtype: str, threads: int, path: Path) -> None:
    """Draw the sigmoid's bytes per second against size, a line per contender."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in content["rows"]:
        case = row["case"]
        kind = (case["function"], case["mode"], case["layout"])
        if kind == ("sigmoid", "value", "out") and (case["dtype"], case["threads"]) == (dtype, threads):
            lines.setdefault(row["contender"], []).append((case["size"], row["gigabytes_per_second"]))
    plot = axes(f"sigmoid, {dtype}, {threads} thread{'s' if threads > 1 else ''}", 5)
    plot.set_prop_cycle(color=OTHERS)
    for name, points in lines.items():
        plot.plot(*zip(*sorted(points), strict=True), marker=".", label=name, **STYLE.get(name, {}))
    plot.set(xscale="log", yscale="log", xlabel="elements", ylabel="GB/s, read and written")
    save(plot, path)


def draw_roofline(content: Record, size: int, dtype: str, threads: int, path: Path) -> None:
    """Draw each function's bytes per second on large arrays, beside the baseline's, the roof."""
    rows = [row for row in content["rows"] if matches(row["case"], size, dtype, threads)]
    copies, ours, torch = (
        {subject(row["case"]): row["gigabytes_per_second"] for row in rows if row["contender"] == name}
        for name in (BASELINE, OURS, "torch")
    )
    names = list(ours)[::-1]
    threaded = f"{threads} thread{'s' if threads > 1 else ''}"
    plot = axes(f"{size:,} elements, {dtype}, {threaded}: the copy is the roof", 0.45 * len(names) + 1.2)
    plot.barh(names, [ours[n] for n in names], 0.6, color="#307EC7", label=OURS)
    common = [n for n in names if n in torch]
    plot.scatter([torch[n] for n in common], common, color="#9621E2", label="torch", zorder=3)
    plot.axvline(median(copies.values()), color=INK, linestyle="--", label="copy")
    plot.set_xlabel("GB/s, read and written")
    save(plot, path)


def save(plot: Any, path: Path) -> None:
    """Save a figure with its legend outside the axes, where it covers nothing."""
    plot.figure.legend(loc="outside right upper", frameon=False)
    plot.figure.savefig(path, dpi=110)


def matches(case: Record, size: int, dtype: str, threads: int) -> bool:
    kind = (case["size"], case["dtype"], case["threads"], case["layout"])
    return kind == (size, dtype, threads, "out")


def subject(case: Record) -> str:
    return label(case["function"], case["mode"])
