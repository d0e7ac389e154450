"""README's table of errors, and the page of all."""

import math
from itertools import product
from typing import Any

from gpu_sigmoid.modes import MEASURED, label

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
    """Return a table of our largest errors beside the peers', a line per function and mode."""
    rows = [row for row in rows if row["dtype"] in DTYPES]
    subjects = sorted({row["subject"] for row in rows}, key=lambda name: (name != OURS, name))
    measured = {(row["subject"], row["dtype"]) for row in rows}
    columns = [(subject, dtype) for dtype in DTYPES for subject in subjects if (subject, dtype) in measured]
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
