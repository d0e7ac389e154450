"""Write the worst errors found beside the bounds promised, in gpu_sigmoid/bounds.py.

    python tools/write_bounds.py [--check]

They come from bench/results/accuracy.json, which `gpu-sigmoid verify --exhaustive --json`
writes. The bounds are left as they are. `--check` writes nothing and exits with status 1
if the file is not what it would write.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOUNDS = ROOT / "gpu_sigmoid" / "bounds.py"
RESULTS = ROOT / "bench" / "results" / "accuracy.json"
MARK = '"""\\\n'
HEAD = ("# function", "mode", "dtype", "bound", "worst", "operands")


def worst(rows: list[dict]) -> dict[tuple[str, str, str], tuple[float, str]]:
    """Return the largest error and its operands by (function, mode, dtype)."""
    found: dict[tuple[str, str, str], tuple[float, str]] = {}
    for row in rows:
        key = (row["function"], row["mode"], row["dtype"])
        if row["ulp"] > found.get(key, (-1.0, ""))[0]:
            # without the zeros that end a significand
            found[key] = (row["ulp"], " ".join(re.sub(r"\.?0*p", "p", operand) for operand in row["at"]))
    return found


def written(text: str, rows: list[dict]) -> str:
    """Return the text of bounds.py with the errors of `rows`."""
    before, table, after = split(text)
    found = worst(rows)
    lines = [HEAD]
    for line in table.splitlines()[1:]:
        name, mode, dtype, bound = line.split()[:4]
        if (name, mode, dtype) not in found:
            sys.exit(
                f"{RESULTS} has no row of {name}.{mode} in {dtype}: run gpu-sigmoid verify {name} --json"
            )
        error, operands = found[name, mode, dtype]
        lines.append((name, mode, dtype, bound, f"{error:.4f}", operands))
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    body = "".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )
    return before + body + after


def split(text: str) -> tuple[str, str, str]:
    before, _, rest = text.partition(MARK)
    table, _, after = rest.partition('"""')
    return before + MARK, table, '"""' + after


def main() -> None:
    text = BOUNDS.read_text(encoding="utf-8")
    wanted = written(text, json.loads(RESULTS.read_bytes())["rows"])
    if "--check" not in sys.argv:
        BOUNDS.write_text(wanted, encoding="utf-8")
    elif text != wanted:
        sys.exit(f"{BOUNDS} is stale: run tools/write_bounds.py")


if __name__ == "__main__":
    main()
