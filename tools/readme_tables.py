"""Write README's tables from the committed results, so that no figure is copied by hand.

A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; `TABLES` says what makes it
and from which files. `--check` writes nothing and exits with status 1 if one is stale.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the benchmark is not installed

from bench import report
from gpu_sigmoid.modes import MEASURED

ROOT = Path(__file__).resolve().parent.parent
OURS = "gpu_sigmoid"
DTYPES = ("float32", "float64")

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A table's results files, relative to the results folder, and what makes Markdown of their rows."""

    sources: tuple[str, ...]
    markdown: Callable[[list[Row]], str]


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
    for function in dict.fromkeys(row["function"] for row in rows):
        for mode in MEASURED:
            errors: dict[tuple[str, str], list[float]] = {column: [] for column in columns}
            for row in rows:
                if (row["function"], row["mode"]) == (function, mode):
                    errors[row["subject"], row["dtype"]].append(row["ulp"])
            if any(errors.values()):
                name = f"`{function}`" if mode == "value" else f"`{function}.{mode}`"
                lines.append([name, *(ulp(found) for found in errors.values())])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n\n" + operands(rows, subjects)


def operands(rows: list[Row], subjects: list[str]) -> str:
    """Return the sentence that says which operands stand behind each subject's figures."""
    said = []
    for subject in subjects:
        chosen = dict.fromkeys(
            f"{row['dtype']} {row['operands']}" for row in rows if row["subject"] == subject
        )
        said.append(f"{subject}: {', '.join(sorted(chosen))}")
    return f"Largest error in ULP. Operands: {'; '.join(said)}."


def throughput(rows: list[Row]) -> str:
    """Return ours and how many times as long peers take: in cache, and from memory."""
    return report.tables({"rows": rows}, shown)


def shown(case: Row) -> bool:
    if case["layout"] != "out" or case["dtype"] not in DTYPES:
        return False
    in_cache = case["size"] == 100_000 and case["mode"] in ("value", "grad")
    return in_cache or (case["size"] == 30_000_000 and case["mode"] == "value")


def on_gpu(rows: list[Row]) -> str:
    """Return the figures of large arrays on a GPU, and what they were measured on."""
    large = [row for row in rows if row["case"]["size"] > 1]
    where = dict.fromkeys(f"{row['device']}, {row['date']}" for row in large)
    return f"Measured on {'; '.join(where)}.\n\n{report.tables({'rows': large})}"


TABLES = {
    "accuracy": Table(("accuracy.json", "accuracy-peers.json"), accuracy),
    "throughput": Table(("throughput-cpu.json",), throughput),
    "throughput-gpu": Table(("throughput-gpu.json",), on_gpu),
}


def read(path: Path) -> list[Row]:
    try:
        return json.loads(path.read_bytes())["rows"]
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
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a table is stale")
    parser.add_argument("--file", type=Path, default=ROOT / "README.md")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results")
    options = parser.parse_args()
    text = new = options.file.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        rows = [row for source in table.sources for row in read(options.results / source)]
        new = filled(new, name, table.markdown(rows))
    if options.check:
        if new != text:
            print(f"{options.file} is stale: run tools/readme_tables.py", file=sys.stderr)
        return int(new != text)
    options.file.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
