"""Rows as a table and as JSON."""

import json
import math
from pathlib import Path
from typing import Any

from gpu_sigmoid.machine import as_json, cpu, measured_on
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.measure import Found
from gpu_sigmoid.verify.parts import stride_of
from gpu_sigmoid.verify.reference import ERROR
from gpu_sigmoid.verify.subjects import OURS, Subject

Record = dict[str, Any]
HEAD = f"{'':48}{'points':>14}{'ULP':>16}{'bound':>7}  {'at':>24} {'got':>24} {'want':>24}{'wrong':>12}"

HEADING = {
    "unit": "last place of the exact result; bounds.py says where of a larger term",
    "reference": f"float64, relative error below {ERROR.hex()}; mpmath for float64 and near ties",
}


def record(of: tuple, found: Found, stride: int, subject: Subject) -> Record:
    """Return a row for JSON; numbers are in hexadecimal, exact except `want`, rounded to float64."""
    name, mode, dtype, beside = of
    return {
        "subject": subject.name,
        "function": name,
        "mode": mode,
        "dtype": dtype,
        "beside": beside,
        "operands": how_chosen(dtype, beside, stride, subject.within),
        "points": found.points,
        "ulp": round(found.ulp, 4),
        "at": [operand.hex() for operand in found.at],
        "got": found.got.hex(),
        "want": found.want.hex(),
        "wrongly_rounded": found.wrong,
        "order_violations": found.violations,
        **measured_on(cpu(), subject.distributions),
    }


def how_chosen(dtype: str, label: str | None, stride: int, within: float) -> str:
    """Return which x a row covers, for the label of the operands beside it."""
    every = stride_of(dtype, label, stride)
    chosen = "dense and adversarial" if dtype == "float64" else "all" if every == 1 else f"one in {every}"
    return chosen if within == math.inf else f"{chosen}, abs(x) <= {within:g}"


def broken(row: Record) -> bool:
    """Return whether a row of ours exceeds its bound."""
    if row["subject"] != OURS.name:
        return False
    bound = bound_of(row)
    # an error of just over one half is rounded to 0.5 in the record
    miss_rounded = bound == 0.5 and row["wrongly_rounded"] > 0
    return row["ulp"] > bound or row["order_violations"] > 0 or miss_rounded


def bound_of(row: Record) -> float:
    return FUNCTIONS[row["function"]].bounds[row["mode"], row["dtype"]].ulp


def line(row: Record) -> str:
    """Return a row of the printed table."""
    beside = "" if row["beside"] is None else f", {row['beside']}"
    subject = f"{row['function']}.{row['mode']} {row['dtype']}{beside}"
    bound = f"{bound_of(row):7.2f}" if row["subject"] == OURS.name else f"{'':7}"
    numbers = [f"{float.fromhex(n):24.17g}" for n in (*row["at"][:1], row["got"], row["want"])]
    text = f"{subject:48}{row['points']:14,}{row['ulp']:16,.3f}{bound}  {' '.join(numbers)}"
    text += f"{row['wrongly_rounded']:12,}"
    if row["order_violations"]:
        text += f"  {row['order_violations']} neighbours in the wrong order"
    return text + ("  BROKEN" if broken(row) else "")


def write(path: Path, rows: list[Record]) -> None:
    """Write rows to a JSON file, replacing its rows with the same key."""
    before = json.loads(path.read_bytes())["rows"] if path.exists() else []
    kept = {key(row): row for row in (*before, *rows)}
    path.write_text(
        as_json({**HEADING, "rows": [kept[subject] for subject in sorted(kept)]}), encoding="utf-8"
    )


def key(row: Record) -> tuple:
    """Return the key of a row, by which rows can be sorted."""
    place = list(FUNCTIONS).index(row["function"])
    return row["subject"], place, row["mode"], row["dtype"], row["beside"] or ""
