"""Rows as JSON, with what they were measured on, and as Markdown tables."""

import platform
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import cache
from math import floor, log10
from pathlib import Path
from typing import Any

from bench import peers
from bench.cases import LAYOUTS
from bench.clock import PERCENTILES
from bench.conditions import conditions
from bench.measure import BASELINE, OURS, Row
from gpu_sigmoid.environment import gpu_available, gpu_description
from gpu_sigmoid.machine import ON_CPU, ON_GPU, as_json, cpu, gpu, measured_on, processor, today, versions
from gpu_sigmoid.modes import label

LEGEND = """\
A library's figure is its time divided by gpu_sigmoid's; below 1, in bold, the library is faster.
`of copyto` divides the bytes read and written per second by those of `np.copyto` (on a GPU
`cupy.copyto`) on as many elements and threads, timed in the same rounds: another program, not the
memory's limit, so more than 100% is possible."""

ON_HOST = """\
Logits are drawn from N(0, 3), other operands from [0, 1). All write into an existing array, except where it
is said below that a library allocates its result; under "a new array for the result" all allocate."""

REMARKS = {
    "numpy": "NumPy's formulas are ufuncs with `out=` and scratch arrays.",
    "numexpr": "numexpr's wheels come without Intel's VML.",
    "torch": """\
torch allocates the results of its binary cross-entropy. Its wheels compute `tanh` and logarithms by Intel's
MKL, which chooses its code by the maker of the CPU.""",
    "jax": "JAX allocates its results; its functions are compiled.",
    "tensorflow": """\
TensorFlow allocates its results. Its operators are called eagerly, each a pass over memory; values composed
of several from a million elements on, its binary cross-entropy and most derivatives are compiled by XLA,
which took less time there. It has as many threads for an operator as said, and runs one at a time.""",
    "onnxruntime": "ONNX Runtime runs a graph of one operator, with threads that do not spin.",
    "openvino": """\
OpenVINO runs a model of the function alone, compiled for the array's shape, on the arrays' memory, in one
stream and in the operands' precision (by default it computes float32 models in bfloat16 where the CPU has
such instructions); float64, which it computes in float32, is left out. It is given one row for each thread,
since it does not split an array of one dimension.""",
}
"""What the figures of each library measure."""

Record = dict[str, Any]


def document(rows: Iterable[Row], rounds: int, machine: str | None = None) -> Record:
    """Return a run's rows and conditions, ready for JSON; `machine` is what readers call the machine."""
    libraries = [name for peer in (*peers.HOST, *peers.CUDA) for name in peers.distributions(peer)]
    return {
        "machine": machine,
        "date": today(),
        "processor": processor(),
        "device": gpu_description() if gpu_available() else None,
        **conditions(),
        "platform": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": versions([*ON_CPU, *ON_GPU, *libraries]),
        "rounds": rounds,
        "percentiles": PERCENTILES,
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
    compiled = content.get("compiled_for")
    said = [content["processor"], compiled and f"kernels compiled for {compiled}"]
    said += [content.get(key) for key in ("caches", "clock", "load")]
    hardware = ", ".join(filter(None, [*said, device, content["platform"]]))
    title = " on ".join(filter(None, ["# Throughput", content.get("machine")]))
    revision = content.get("revision")
    when = f"{content['date']}, at commit {revision}" if revision else content["date"]
    method = f"""\
{content["rounds"]} rounds, in which all libraries take turns in one process, which may run on as many CPUs
as it has threads. {spread_of(content)} {LEGEND}"""
    present = {row["contender"] for row in content["rows"]}
    remarks = [text for name, text in REMARKS.items() if name in present]
    return "\n\n".join(
        [
            title,
            f"{hardware}. {libraries}; {when}.",
            method,
            "\n".join([ON_HOST, *remarks]),
            tables(content),
        ]
    )


def spread_of(content: Record) -> str:
    """Return the sentence that says what the figures in brackets are."""
    low, high = content["percentiles"]
    return f"Figures are medians over the rounds, with the {low}th and {high}th percentile in brackets."


def tables(content: Record, select: Callable[[Record], bool] = lambda case: True) -> str:
    """Return a Markdown table per kind of operand: ours, and how many times as long peers take."""
    groups: dict[tuple, dict[tuple[str, int], dict[str, Record]]] = {}
    for row in content["rows"]:
        case = row["case"]
        if select(case):
            kind = (case["dtype"], case["threads"], case["layout"])
            subject = (label(case["function"], case["mode"]), case["size"])
            groups.setdefault(kind, {}).setdefault(subject, {})[row["contender"]] = row
    return "\n".join(f"{heading(*kind)}\n\n{table(rows)}" for kind, rows in groups.items())


def heading(dtype: str, threads: int, layout: str) -> str:
    return f"**{dtype}, {on(threads)}{LAYOUTS[layout]}**"


def on(threads: int) -> str:
    return "GPU" if threads == 0 else f"{threads} thread{'s' if threads > 1 else ''}"


def table(subjects: dict[tuple[str, int], dict[str, Record]]) -> str:
    contenders = dict.fromkeys(name for rows in subjects.values() for name in rows)
    others = [name for name in contenders if name not in (OURS, BASELINE)]
    head = ["elements", "ns/element", "GB/s", "of copyto", *others]
    lines = [f"| | {' | '.join(head)} |", f"|---|{'---:|' * len(head)}"]
    for (subject, size), rows in sorted(subjects.items(), key=by_size):
        if OURS not in rows:  # it raised
            continue
        ours = rows[OURS]
        cells = [f"`{subject}`", f"{size:,}", two_digits(ours["nanoseconds"]["median"])]
        cells += [two_digits(ours["gigabytes_per_second"])]
        cells += ["" if ours["of_copy"] is None else f"{ours['of_copy']:.0%}"]
        cells += [ratio(rows[peer]["times_ours"]) if peer in rows else "" for peer in others]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def by_size(subject_and_rows: tuple[tuple[str, int], Any]) -> int:
    return subject_and_rows[0][1]


def ratio(times: Record) -> str:
    """Return a peer's time over ours with its spread, in bold where the peer is faster."""
    median = two_digits(times["median"])
    spread = f" ({two_digits(times['low'])}-{two_digits(times['high'])})" if "low" in times else ""
    return (f"**{median}**" if median < "1" else median) + spread


def two_digits(value: float) -> str:
    """Return a number with two significant digits."""
    rounded = float(f"{value:.2g}")
    decimals = 1 - floor(log10(rounded)) if rounded else 0
    return f"{rounded:,.{max(decimals, 0)}f}"
