"""The figures of a run: throughput against size, and every function against the baseline."""

from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import BASELINE, OURS
from bench.report import Record, on
from gpu_sigmoid.modes import label

INK = "0.35"
STYLE: dict[str, dict[str, Any]] = {
    OURS: {"color": "#307EC7", "linewidth": 3},
    BASELINE: {"color": INK, "linestyle": "--"},
}
OTHERS = [f"tab:{name}" for name in ["orange", "green", "red", "purple", "brown", "pink", "olive", "cyan"]]
# Elements from which on operands come from memory, and the copy is the roof.
LARGE = 10_000_000


def draw(content: Record, folder: Path, device: str) -> None:
    """Draw what the run has rows for."""
    cases = [row["case"] for row in content["rows"] if row["case"]["layout"] == "out"]
    for dtype, threads in dict.fromkeys((case["dtype"], case["threads"]) for case in cases):
        name = f"{device}-{dtype}-{threads}.png"
        those = [case for case in cases if (case["dtype"], case["threads"]) == (dtype, threads)]
        if len({case["size"] for case in those if subject(case) == "sigmoid"}) > 2:
            draw_throughput(content, dtype, threads, folder / f"throughput-{name}")
        for size in {case["size"] for case in those if case["size"] >= LARGE}:
            if len({subject(case) for case in those if case["size"] == size}) > 2:
                draw_roofline(content, size, dtype, threads, folder / f"roofline-{name}")


def axes(title: str, height: float) -> Any:
    from matplotlib.figure import Figure

    plot = Figure(figsize=(9, height), layout="constrained").add_subplot()
    plot.spines[["top", "right"]].set_visible(False)
    plot.set_title(title, loc="left")
    return plot


def draw_throughput(content: Record, dtype: str, threads: int, path: Path) -> None:
    """Draw the sigmoid's bytes per second against size, a line per contender."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in rows_of(content, dtype, threads):
        if subject(row["case"]) == "sigmoid":
            point = (row["case"]["size"], row["gigabytes_per_second"])
            lines.setdefault(row["contender"], []).append(point)
    plot = axes(f"sigmoid, {dtype}, {on(threads)}", 5)
    plot.set_prop_cycle(color=OTHERS)
    for name, points in lines.items():
        plot.plot(*zip(*sorted(points), strict=True), marker=".", label=name, **STYLE.get(name, {}))
    plot.set(xscale="log", yscale="log", xlabel="elements", ylabel="GB/s, read and written")
    save(plot, path)


def draw_roofline(content: Record, size: int, dtype: str, threads: int, path: Path) -> None:
    """Draw each function's bytes per second on large arrays, beside the baseline's, the roof."""
    rows = [row for row in rows_of(content, dtype, threads) if row["case"]["size"] == size]
    copies, ours, torch = (
        {subject(row["case"]): row["gigabytes_per_second"] for row in rows if row["contender"] == name}
        for name in (BASELINE, OURS, "torch")
    )
    names = list(ours)[::-1]
    title = f"{size:,} elements, {dtype}, {on(threads)}: the copy is the roof"
    plot = axes(title, 0.45 * len(names) + 1.2)
    plot.barh(names, [ours[n] for n in names], 0.6, color="#307EC7", label=OURS)
    common = [n for n in names if n in torch]
    plot.scatter([torch[n] for n in common], common, color="#9621E2", label="torch", zorder=3)
    plot.axvline(median(copies.values()), color=INK, linestyle="--", label="copy")
    plot.set_xlabel("GB/s, read and written")
    save(plot, path)


def rows_of(content: Record, dtype: str, threads: int) -> list[Record]:
    wanted = {"dtype": dtype, "threads": threads, "layout": "out"}
    return [row for row in content["rows"] if wanted.items() <= row["case"].items()]


def save(plot: Any, path: Path) -> None:
    """Save a figure with its legend outside the axes, where it covers nothing."""
    plot.figure.legend(loc="outside right upper", frameon=False)
    plot.figure.savefig(path, dpi=110)


def subject(case: Record) -> str:
    return label(case["function"], case["mode"])
