"""Rows as JSON, with what they were measured on, and as Markdown tables."""

import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from bench import peers
from bench.cases import LAYOUTS
from bench.measure import BASELINE, OURS, Row
from gpu_sigmoid.environment import gpu_available, gpu_description
from gpu_sigmoid.machine import ON_CPU, ON_GPU, as_json, cpu, gpu, measured_on, processor, today, versions
from gpu_sigmoid.modes import label

LEGEND = """
Medians of rounds in which all take turns in one process. A library's figure is how many
times as long as gpu_sigmoid it takes; `of copy` is the rate at which bytes are moved over
that of the baseline, a copy of an array. JAX, and NumPy's textbook formulas, make new arrays."""

Record = dict[str, Any]


def document(rows: Iterable[Row], rounds: int) -> Record:
    """Return all there is to say of a run, ready for JSON."""
    libraries = [name for peer in (*peers.HOST, *peers.CUDA) for name in peers.distributions(peer)]
    return {
        "date": today(),
        "processor": processor(),
        "device": gpu_description() if gpu_available() else None,
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": versions([*ON_CPU, *ON_GPU, *libraries]),
        "rounds": rounds,
        "rows": records(rows),
    }


def records(rows: Iterable[Row]) -> list[Record]:
    """Return rows with what they were measured on, ready for JSON."""
    return [{**rounded(asdict(row)), **where(row.case.threads == 0, row.contender)} for row in rows]


@cache
def where(on_gpu: bool, contender: str) -> Record:
    """Return what a contender's row says of where, when and with which versions it was measured."""
    if contender in (*peers.HOST, *peers.CUDA):
        libraries = peers.distributions(contender)
    else:
        libraries = ON_GPU if on_gpu else ON_CPU
    return measured_on(gpu() if on_gpu else cpu(), libraries)


def write(path: Path, content: Record) -> None:
    path.write_text(as_json(content), encoding="utf-8")


def rounded(value: Any) -> Any:
    """Return the value with floats to four significant digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return {key: rounded(v) for key, v in value.items()} if isinstance(value, dict) else value


def page(content: Record) -> str:
    """Return the whole run as a Markdown page."""
    libraries = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    device = content["device"] and ", ".join(f"{key} {value}" for key, value in content["device"].items())
    hardware = ", ".join(filter(None, (content["processor"], device, content["platform"])))
    return f"# Throughput\n\n{hardware}. {libraries}; {content['date']}.\n{LEGEND}\n\n{tables(content)}"


def tables(content: Record, select: Callable[[Record], bool] = lambda case: True) -> str:
    """Return a Markdown table per kind of operand: ours, and how many times as long peers take."""
    groups: dict[tuple, dict[str, dict[str, Record]]] = {}
    for row in content["rows"]:
        case = row["case"]
        if select(case):
            kind = (case["size"], case["dtype"], case["threads"], case["layout"])
            subject = label(case["function"], case["mode"])
            groups.setdefault(kind, {}).setdefault(subject, {})[row["contender"]] = row
    return "\n".join(f"{heading(*kind)}\n\n{table(rows)}" for kind, rows in groups.items())


def heading(size: int, dtype: str, threads: int, layout: str) -> str:
    return f"**{dtype}, {size:,} element{'s' if size > 1 else ''}, {on(threads)}{LAYOUTS[layout]}**"


def on(threads: int) -> str:
    return "GPU" if threads == 0 else f"{threads} thread{'s' if threads > 1 else ''}"


def table(subjects: dict[str, dict[str, Record]]) -> str:
    contenders = dict.fromkeys(name for rows in subjects.values() for name in rows)
    others = [name for name in contenders if name not in (OURS, BASELINE)]
    head = ["ns/element", "GB/s", "of copy", *others]
    lines = [f"| | {' | '.join(head)} |", f"|---|{'---:|' * len(head)}"]
    for subject, rows in subjects.items():
        if OURS not in rows:  # it raised
            continue
        ours = rows[OURS]
        cells = [f"`{subject}`", f"{ours['nanoseconds']['median']:.3g}"]
        cells += [f"{ours['gigabytes_per_second']:.3g}"]
        cells += ["" if ours["of_copy"] is None else f"{ours['of_copy']:.0%}"]
        cells += [f"{rows[peer]['times_ours']['median']:.3g}x" if peer in rows else "" for peer in others]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
