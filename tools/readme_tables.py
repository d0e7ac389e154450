"""Write README's tables and the pages in bench/results from the committed results.

No figure in them is copied by hand. A table stands between `<!-- NAME -->` and `<!-- /NAME -->`; `TABLES`
and `pages` say what makes each and from which files. `--check` writes nothing and exits with
status 1 if one is stale, or a chart was not drawn from the results.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the benchmark is not installed

import accuracy_tables
import call_tables
import throughput_tables

from bench import report

ROOT = Path(__file__).resolve().parent.parent
Document = dict[str, Any]
CPUS, GPUS = "throughput-cpu-*.json", "throughput-gpu*.json"
AVX2 = "avx2.json"

SHARED = """\
Calls as long as a sigmoid of 320,000 float32 numbers (in quick succession 65,000) are split over the process'
CPUs, or its container's quota."""


@dataclass(frozen=True)
class Results:
    """A folder of results files."""

    folder: Path

    def documents(self, *names: str) -> list[Document]:
        return [read(self.folder / name) for name in names]

    def runs(self, pattern: str) -> dict[str, Document]:
        """Return the documents of all files with such names, by their names' stems."""
        return {path.stem: read(path) for path in sorted(self.folder.glob(pattern))}

    def cpus(self) -> dict[str, Document]:
        found = self.runs(CPUS)
        if not found:
            raise missing(self.folder / CPUS)
        return found

    def page(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise missing(self.folder / name) from None


def missing(path: Path) -> SystemExit:
    return SystemExit(f"{path}: no such file; CONTRIBUTING.md says what writes it")


@cache
def read(path: Path) -> Document:
    try:
        content = json.loads(path.read_bytes())
        content["rows"][:0]
        return content
    except FileNotFoundError:
        raise missing(path) from None
    except (ValueError, KeyError, TypeError):
        raise SystemExit(f"{path}: not a results file: a JSON object with rows is accepted") from None


def calls(results: Results) -> str:
    """Return the list of what layouts, and calls through other libraries, cost."""
    said = [
        f"{SHARED} {throughput_tables.layouts(results.cpus())}",
        call_tables.through_torch(results.page("torch-calls.md")),
        call_tables.through_jax(results.page("jax-calls.md")),
    ]
    unbroken = textwrap.TextWrapper(
        110, "- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(map(unbroken.fill, said))


TABLES: dict[str, Callable[[Results], str]] = {
    "accuracy": lambda results: accuracy_tables.short_accuracy(
        results.documents("accuracy.json", "accuracy-peers.json", "accuracy-within-87.json")
    ),
    "throughput": lambda results: throughput_tables.short_throughput(results.cpus()),
    "calls": calls,
}
"""README's, by their marks."""


def pages(results: Results) -> dict[str, str]:
    """Return the pages in the results folder, by their names; each CPU has one."""
    gpus = results.documents("throughput-gpu.json", "throughput-gpu-h100.json")
    accuracy = results.documents("accuracy.json", "accuracy-peers.json")
    runs = {**results.cpus(), **results.runs(AVX2)}
    return {
        "accuracy.md": accuracy_tables.accuracy_page(accuracy),
        "throughput-gpu.md": throughput_tables.gpu_page(gpus),
        **{f"{stem}.md": report.page(content) for stem, content in runs.items()},
    }


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
        "--check", action="store_true", help="write nothing; exit with 1 if a table, page or chart is stale"
    )
    parser.add_argument("--file", type=Path, default=ROOT / "README.md")
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results")
    options = parser.parse_args()
    results = Results(options.results)
    files = {options.results / name: page for name, page in pages(results).items()}
    readme = options.file.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        readme = filled(readme, name, table(results))
    files[options.file] = readme
    stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        if options.check:
            print(f"{path} is stale: run tools/readme_tables.py", file=sys.stderr)
        else:
            path.write_text(files[path], encoding="utf-8")
    drawn = list(throughput_tables.stale_charts({**results.cpus(), **results.runs(GPUS)}, options.results))
    for path in drawn:
        print(f"{path} is stale: run python -m bench charts {options.results}", file=sys.stderr)
    left = sorted(set(options.results.glob("throughput-*.md")) - set(files))
    for path in left:
        print(f"{path} belongs to no results: remove it", file=sys.stderr)
    return int(options.check and bool(stale or drawn or left))


if __name__ == "__main__":
    sys.exit(main())
