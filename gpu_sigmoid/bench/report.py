"""Rows as JSON, with what they were measured on, and as Markdown tables."""

import json
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from gpu_sigmoid.bench.measure import COPY, OURS, Row
from gpu_sigmoid.bench.peers import HOST
from gpu_sigmoid.components import label
from gpu_sigmoid.environment import gpu_available, gpu_description, installed
from gpu_sigmoid.version import __version__

LEGEND = """
Medians of rounds in which all take turns in one process. A library's figure is how many
times as long as gpu_sigmoid it takes; `of copy` is the rate at which bytes are moved over
that of copying an array. JAX, and NumPy's textbook formulas, make new arrays."""

Record = dict[str, Any]
DISTRIBUTIONS = ("numba", "llvmlite", *HOST, "triton", "cupy-cuda13x", "cupy-cuda12x")


def document(rows: Iterable[Row], rounds: int) -> Record:
    """Return all there is to say of a run, ready for JSON."""
    return {
        "version": __version__,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": processor(),
        "device": gpu_description() if gpu_available() else None,
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": versions(),
        "rounds": rounds,
        "rows": [rounded(row.record()) for row in rows],
    }


def write(path: Path, content: Record) -> None:
    """Write a document with one row a line, so that changes can be read."""
    head = json.dumps({key: value for key, value in content.items() if key != "rows"}, indent=1)
    rows = ",\n".join(f"  {json.dumps(row)}" for row in content["rows"])
    path.write_text(f'{head[:-2]},\n "rows": [\n{rows}\n ]\n}}\n')


def rounded(value: Any) -> Any:
    """Return the value with floats to four significant digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    return {key: rounded(v) for key, v in value.items()} if isinstance(value, dict) else value


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def versions() -> dict[str, str]:
    return {name: version for name in DISTRIBUTIONS if (version := installed(name))}


def page(content: Record) -> str:
    """Return the whole run as a Markdown page."""
    libraries = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    gpu = content["device"] and ", ".join(f"{key} {value}" for key, value in content["device"].items())
    where = ", ".join(filter(None, (content["processor"], gpu, content["platform"])))
    return (
        f"# Throughput\n\n{where}. gpu_sigmoid {content['version']}, {libraries}; {content['date']}.\n"
        f"{LEGEND}\n\n{tables(content)}"
    )


def tables(content: Record, select: Callable[[Record], bool] = lambda case: True) -> str:
    """Return a Markdown table per kind of operand: ours, and how many times as long peers take."""
    groups: dict[tuple, dict[tuple, dict[str, Record]]] = {}
    for row in content["rows"]:
        case = row["case"]
        if select(case):
            kind = (case["size"], case["dtype"], case["threads"], case["layout"])
            subject = (case["function"], case["component"])
            groups.setdefault(kind, {}).setdefault(subject, {})[row["peer"]] = row
    return "\n".join(f"{heading(*kind)}\n\n{table(rows)}" for kind, rows in groups.items())


def heading(size: int, dtype: str, threads: int, layout: str) -> str:
    where = "GPU" if threads == 0 else f"{threads} thread{'s' if threads > 1 else ''}"
    how = {"out": "", "new": ", a new array for the result", "strided": ", every other element"}[layout]
    return f"**{dtype}, {size:,} element{'s' if size > 1 else ''}, {where}{how}**"


def table(subjects: dict[tuple, dict[str, Record]]) -> str:
    peers = list(dict.fromkeys(name for rows in subjects.values() for name in rows))
    peers = [name for name in peers if name not in (OURS, COPY)]
    lines = [
        "| | ns/element | GB/s | of copy | " + " | ".join(peers) + " |",
        "|---|---:|---:|---:|" + "---:|" * len(peers),
    ]
    for (function, component), rows in subjects.items():
        ours = rows[OURS]
        share = "" if ours["of_copy"] is None else f"{ours['of_copy']:.0%}"
        cells = [f"`{label(function, component)}`", f"{ours['nanoseconds']['median']:.3g}"]
        cells += [f"{ours['gigabytes_per_second']:.3g}", share]
        cells += [times(rows.get(peer)) for peer in peers]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def times(row: Record | None) -> str:
    return "" if row is None else f"{row['times_ours']['median']:.3g}x"
