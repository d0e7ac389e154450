"""README's table of throughput, its sentences on other machines and on layouts, and the pages of figures.

A run of `python -m bench` on a CPU is a file `throughput-cpu-MACHINE.json` in the results folder. README
shows one machine's figures, and says where those of the others differ.
"""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import charts, report
from bench.measure import BASELINE, OURS
from gpu_sigmoid.modes import label

Row = dict[str, Any]
Document = dict[str, Any]
Runs = dict[str, Document]
"""The documents of runs, by the stems of their files' names."""

SHOWN_FIRST = "throughput-cpu-intel-cascade-lake"
"""The run whose figures README shows."""
SIZES = (1, 100_000, 30_000_000)
"""The numbers of elements for which README gives the sigmoid's throughput."""
OTHERS = [
    (function, mode, 100_000)
    for function, mode in (
        ("sigmoid", "grad"),
        *(
            (name, "value")
            for name in ("log_sigmoid", "softplus", "silu", "bce_with_logits", "tanh", "logit")
        ),
    )
]
"""README's other rows of throughput."""
PEERS = ("numpy", "scipy", "torch", "jax", "onnxruntime")
"""README's columns; the pages have those of more libraries."""
NOTABLE = 3
"""A library's figures on two machines are both given where they differ by this factor."""
KERNELS = """\
`packed` and `ElementwiseKernel` are kernels of this library that the function did not choose."""


def in_order(runs: Runs) -> Runs:
    """Return the runs, the one that README shows first."""
    return dict(sorted(runs.items(), key=lambda run: (run[0] != SHOWN_FIRST, run[0])))


def short_throughput(runs: Runs) -> str:
    """Return the sigmoid at several sizes, and other functions at one, with the conditions."""
    (stem, content), *others = ((stem, with_few_peers(run)) for stem, run in in_order(runs).items())
    _, _, table = report.tables(content, shown).partition("\n\n")
    low, high = content["percentiles"]
    said = [
        f"[{content['machine']}](bench/results/{stem}.md), {content['date']}, medians of "
        f"{content['rounds']} rounds with the {low}th and {high}th percentile.",
        *(beside(content, *other) for other in others),
    ]
    return f"{table}\n{wrapped(' '.join(said))}"


def with_few_peers(content: Document) -> Document:
    kept = (OURS, BASELINE, *PEERS)
    return {**content, "rows": [row for row in content["rows"] if row["contender"] in kept]}


def shown(case: Row) -> bool:
    if (case["dtype"], case["threads"], case["layout"]) != ("float32", 1, "out"):
        return False
    subject = case["function"], case["mode"]
    return case["size"] in SIZES if subject == ("sigmoid", "value") else (*subject, case["size"]) in OTHERS


def wrapped(text: str) -> str:
    return textwrap.fill(text, 110, break_long_words=False, break_on_hyphens=False)


def beside(content: Document, stem: str, other: Document) -> str:
    """Return what differs in README's rows on another machine: who is faster, or by `NOTABLE`."""
    here, there = figures(content), figures(other)
    ours = [there[key] / here[key] for key in here if key[1] == OURS and key in there]
    differing: dict[str, list[str]] = {}
    for key in here:
        subject, name = key
        if name in (OURS, BASELINE) or key not in there:
            continue
        pair = here[key], there[key]
        if max(pair) >= NOTABLE * min(pair) or (pair[0] < 1) != (pair[1] < 1):
            both = " instead of ".join(map(report.two_digits, reversed(pair)))
            differing.setdefault(name, []).append(f"{subject} {both}")
    listed = "; ".join(f"{name} {', '.join(found)}" for name, found in differing.items())
    missing = sorted({name for _, name in here} - {name for _, name in there})
    return "".join(
        [
            f"On [{other['machine']}](bench/results/{stem}.md) ours takes {span(ours)} times as long",
            f"; figures that differ {NOTABLE}-fold or in who is faster: {listed}" if listed else "",
            f"; {', '.join(missing)}: not timed" if missing else "",
            ".",
        ]
    )


def figures(content: Document) -> dict[tuple[str, str], float]:
    """Return our nanoseconds an element, and others' times over ours, in README's rows."""
    found = {}
    for row in content["rows"]:
        case, name = row["case"], row["contender"]
        if shown(case):
            size = f" of {case['size']:,}" if (case["function"], case["mode"]) == ("sigmoid", "value") else ""
            subject = f"`{label(case['function'], case['mode'])}`{size}"
            found[subject, name] = row["nanoseconds" if name == OURS else "times_ours"]["median"]
    return found


def layouts(runs: Runs) -> str:
    """Return how much longer strided operands take than contiguous ones, over all machines."""
    rows, strided = (of_layouts(runs, *names) for names in (("rows",), ("strided", "reversed")))
    return (
        f"Long rows of a wider array take {span(rows)} times as long as contiguous arrays, every other or "
        f"reversed elements {span(strided)}."
    )


def of_layouts(runs: Runs, *layouts: str) -> list[float]:
    """Return our times on operands of 100,000 elements in these layouts over those on contiguous ones."""
    found = []
    for content in runs.values():
        ours = {
            tuple(row["case"].items()): row["nanoseconds"]["median"]
            for row in content["rows"]
            if row["contender"] == OURS and row["case"]["size"] == 100_000
        }
        for case, taken in ours.items():
            contiguous = ours.get(tuple({**dict(case), "layout": "out"}.items()))
            if dict(case)["layout"] in layouts and contiguous:
                found.append(taken / contiguous)
    return found


def span(values: list[float]) -> str:
    """Return the least and the largest of values, with two digits."""
    low, high = (report.two_digits(pick(values)) for pick in (min, max))
    return low if low == high else f"{low} to {high}"


def gpu_page(documents: list[Document]) -> str:
    """Return the figures measured on GPUs, and what each was measured on."""
    parts = [f"# Throughput on a GPU\n\n{report.LEGEND}\n\n{KERNELS}\n"]
    for content in documents:
        (device,) = {row["device"] for row in content["rows"]}
        (date,) = {row["date"] for row in content["rows"]}
        spread = [report.spread_of(content)] if "percentiles" in content else []
        said = " ".join([f"Measured on {date}.", *filter(None, [content.get("note")]), *spread])
        parts.append(f"## {device}\n\n{said}\n\n{report.tables(content)}")
    return "\n".join(parts)


def stale_charts(runs: Runs, folder: Path) -> Iterator[Path]:
    """Yield charts that were not drawn from the runs' rows, are missing, or belong to no run."""
    wanted = set()
    for stem, content in runs.items():
        wanted |= {folder / name for name, _ in charts.planned(content, stem)}
        yield from charts.stale(content, folder, stem)
    drawn = {path for kind in ("throughput", "roofline") for path in folder.glob(f"{kind}-*.png")}
    yield from sorted(drawn - wanted)
