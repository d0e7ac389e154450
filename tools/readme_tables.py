"""Write README's tables and the pages in bench/results from the committed results.

No figure is copied by hand. A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; `TABLES`
and `PAGES` say what makes each and from which files. `--check` writes nothing and exits with
status 1 if one is stale.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the benchmark is not installed

from bench import report
from gpu_sigmoid.modes import MEASURED, label

ROOT = Path(__file__).resolve().parent.parent
OURS = "gpu_sigmoid"
DTYPES = ("float32", "float64")
OUTSIDE = "outside [0, 1]"

Row = dict[str, Any]
Document = dict[str, Any]

SHORT = (
    ("sigmoid", "value"),
    ("sigmoid", "grad"),
    ("log_sigmoid", "value"),
    ("softplus", "value"),
    ("silu", "value"),
    ("bce_with_logits", "value"),
)
"""README's rows of errors."""

SIZES = (1, 100, 100_000, 30_000_000)
"""At which README gives the sigmoid's throughput."""
OTHERS = [
    (name, mode, 100_000)
    for name, mode in (("sigmoid", "grad"), *SHORT[2:], ("tanh", "value"), ("logit", "value"))
]
"""README's other rows of throughput."""

ACCURACY = """\
Largest errors in units in the last place (ULP), subnormal results included, against the definitions in
higher precision. `softplus_beta`, `silu_beta` and `bce_with_logits_pos_weight` are the functions with
their parameter. Where a library does not offer a function its cell is empty; its losses are measured for
targets in [0, 1].

float32 operands are all numbers, or every so many as given below the table; float64 operands are dense
where results vary, and near the points that are hard to get right. In 16 bits `bce_with_logits` is
measured for every pair of an x and a target in [0, 1], two billion of them: no value and no derivative is
off by more than {pairs} ULP. In float32 and float64 targets are soft labels, numbers next to 0, to 1 and
to sigmoid(x), and, for ours, numbers outside [0, 1], where the same formula holds; where terms cancel,
the unit is the last place of the larger one. A parameter is drawn of all sizes from 2^-28 on (float64:
2^-420), beside one float32 x in 4,099; the docstrings say what holds beyond. `vjp` multiplies by the
cotangent before the derivative underflows: `gs.sigmoid.vjp(-744.0, 1e300)` is right to 2 ULP, where
multiplying by the derivative, a subnormal number, would be 29 % off."""

KERNELS = """\
`packed` and `ElementwiseKernel` are kernels of this library that the function did not choose."""


@dataclass(frozen=True)
class Made:
    """The results files behind a table or page, and what makes Markdown of their contents."""

    sources: tuple[str, ...]
    markdown: Callable[[list[Document]], str]

    def of(self, folder: Path) -> str:
        return self.markdown([read(folder / source) for source in self.sources])


def ulp(errors: list[float]) -> str:
    """Return the largest error, rounded up so that the table never promises too much."""
    if not errors:
        return ""
    worst = max(errors)
    if not math.isfinite(worst):
        return "∞"
    if worst < 100:
        return f"{math.ceil(worst * 100) / 100:.2f}"
    power = math.floor(math.log10(worst)) - 1
    digits = math.ceil(worst / 10**power) / 10
    return f"{digits:g}e{power + 1}"


def accuracy(rows: list[Row]) -> str:
    """Return the largest errors of ours beside the peers', a line per function and mode."""
    rows = [row for row in rows if row["dtype"] in DTYPES]
    subjects = sorted({row["subject"] for row in rows}, key=lambda name: (name != OURS, name))
    columns = [(subject, dtype) for dtype in DTYPES for subject in subjects]
    lines = [
        ["function", *(f"{subject} {dtype}" for subject, dtype in columns)],
        ["---", *("---:" for _ in columns)],
    ]
    for function, mode in product(dict.fromkeys(row["function"] for row in rows), MEASURED):
        found = [errors(rows, subject, function, mode, dtype) for subject, dtype in columns]
        if any(found):
            lines.append([f"`{label(function, mode)}`", *map(ulp, found)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n\n" + operands(rows, subjects)


def errors(rows: list[Row], subject: str, function: str, mode: str, dtype: str) -> list[float]:
    wanted = {"subject": subject, "function": function, "mode": mode, "dtype": dtype}
    return [row["ulp"] for row in rows if wanted.items() <= row.items() and not beyond_promise(row)]


def beyond_promise(row: Row) -> bool:
    """Return whether a row is of targets for which its library does not define the loss."""
    return row["subject"] != OURS and row.get("beside") == OUTSIDE


def operands(rows: list[Row], subjects: list[str]) -> str:
    """Return the sentence that says on which operands each subject was measured."""
    said = []
    for subject in subjects:
        chosen = dict.fromkeys(
            f"{row['dtype']} {row['operands']}" for row in rows if row["subject"] == subject
        )
        said.append(f"{subject}: {', '.join(sorted(chosen))}")
    return f"Operands: {'; '.join(said)}."


def accuracy_page(documents: list[Document]) -> str:
    ours, peers = (document["rows"] for document in documents)
    measured = [row["ulp"] for row in ours if is_of_pairs(row)]
    # the rows are rounded to four digits
    said = ACCURACY.format(pairs=f"{max(measured, default=0.5) + 1e-4:.4f}")
    return f"# Accuracy\n\n{said}\n\n{accuracy([*ours, *peers])}\n"


def is_of_pairs(row: Row) -> bool:
    """Return whether a row is of the values or derivatives of all 16-bit pairs of logit and target."""
    return row["function"] == "bce_with_logits" and row["dtype"] not in DTYPES and row["mode"] != "vjp"


def short_accuracy(documents: list[Document]) -> str:
    """Return float32's largest errors; in brackets those of moderate operands, where they are smaller."""
    ours, peers, moderate = (document["rows"] for document in documents)
    names = sorted({row["subject"] for row in peers})
    head = [OURS, f"{OURS}, float64", *names]
    lines = [f"| float32 | {' | '.join(head)} |", f"|---|{'---:|' * len(head)}"]
    for function, mode in SHORT:
        cells = [f"`{label(function, mode)}`"]
        cells += [ulp(errors(ours, OURS, function, mode, dtype)) for dtype in DTYPES]
        for name in names:
            of_all, of_some = (errors(rows, name, function, mode, "float32") for rows in (peers, moderate))
            shown = ulp(of_all)
            if of_all and max(of_some) < 0.9 * max(of_all):
                shown += f" ({ulp(of_some)})"
            cells.append(shown)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def short_throughput(documents: list[Document]) -> str:
    """Return the sigmoid at several sizes, and other functions at one, with the conditions."""
    (content,) = documents
    _, _, table = report.tables(content, shown).partition("\n\n")
    on = f"{content['processor']}, {content['date']}, {content['rounds']} rounds."
    return f"{table}\n{on} {report.spread_of(content)}"


def shown(case: Row) -> bool:
    if (case["dtype"], case["threads"], case["layout"]) != ("float32", 1, "out"):
        return False
    subject = case["function"], case["mode"]
    return case["size"] in SIZES if subject == ("sigmoid", "value") else (*subject, case["size"]) in OTHERS


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


TABLES = {
    "accuracy": Made(("accuracy.json", "accuracy-peers.json", "accuracy-within-87.json"), short_accuracy),
    "throughput": Made(("throughput-cpu.json",), short_throughput),
}
"""README's, by their marks."""

PAGES = {
    "accuracy.md": Made(("accuracy.json", "accuracy-peers.json"), accuracy_page),
    "throughput-cpu.md": Made(("throughput-cpu.json",), lambda documents: report.page(documents[0])),
    "throughput-gpu.md": Made(("throughput-gpu.json", "throughput-gpu-h100.json"), gpu_page),
}
"""Those in the results folder, by their names."""


def read(path: Path) -> Document:
    try:
        content = json.loads(path.read_bytes())
        content["rows"][:0]
        return content
    except FileNotFoundError:
        raise SystemExit(f"{path}: no such file; CONTRIBUTING.md says what writes it") from None
    except (ValueError, KeyError, TypeError):
        raise SystemExit(f"{path}: not a results file: a JSON object with rows is accepted") from None


def filled(text: str, name: str, content: str) -> str:
    """Return `text` with `content` between the marks called `name`."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(opening) != 1 or text.count(closing) != 1 or text.index(opening) > text.index(closing):
        raise SystemExit(f"{opening} and, after it, {closing} must each stand in the file once")
    before, rest = text.split(opening)
    return f"{before}{opening}\n{content}\n{closing}{rest.split(closing)[1]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a table or page is stale"
    )
    parser.add_argument("--file", type=Path, default=ROOT / "README.md")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results")
    options = parser.parse_args()
    files = {options.results / name: page.of(options.results) for name, page in PAGES.items()}
    readme = options.file.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        readme = filled(readme, name, table.of(options.results))
    files[options.file] = readme
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if options.check:
            print(f"{path} is stale: run tools/readme_tables.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
    return int(options.check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
