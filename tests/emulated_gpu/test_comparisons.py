"""Comparisons, which set predicates, and the choice by one, against NumPy."""

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulated_gpu.one_instruction import Instruction
from emulated_gpu.operands import check_same, flushed, operands

ORDERED: dict[str, Callable[..., np.ndarray]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
JOINS: dict[str, Callable[..., np.ndarray]] = {
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}


def either_nan(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.isnan(a) | np.isnan(b)


def conditions() -> dict[str, Callable[..., np.ndarray]]:
    """Return the comparisons of floats: a nan makes the plain ones false, and those that end in u true."""
    found: dict[str, Callable[..., np.ndarray]] = {"nan": either_nan, "num": lambda a, b: ~either_nan(a, b)}
    for name, compare in ORDERED.items():
        found[name] = lambda a, b, compare=compare: compare(a, b) & ~either_nan(a, b)
        found[f"{name}u"] = lambda a, b, compare=compare: compare(a, b) | either_nan(a, b)
    return found


@pytest.mark.parametrize("kind", ["f32", "ftz.f32", "f64"])
@pytest.mark.parametrize("how", conditions())
def test_floats(gpu: Any, tmp_path: Path, how: str, kind: str) -> None:
    plain = kind.removeprefix("ftz.")
    arrays = operands((plain, plain))
    got = Instruction(f"setp.{how}.{kind}", (plain, plain), "pred").run(gpu, tmp_path, *arrays)
    with np.errstate(invalid="ignore"):
        want = conditions()[how](*(flushed(a) if kind != plain else a for a in arrays))
    check_same(got, want, *arrays)


# bits have no order
OF_INTEGERS = [(how, f"{letter}{n}") for how in ORDERED for letter in "bus" for n in (16, 32, 64)]
OF_INTEGERS = [(how, kind) for how, kind in OF_INTEGERS if kind[0] != "b" or how in ("eq", "ne")]


@pytest.mark.parametrize(("how", "kind"), OF_INTEGERS)
def test_integers(gpu: Any, tmp_path: Path, how: str, kind: str) -> None:
    arrays = operands((kind, kind))
    got = Instruction(f"setp.{how}.{kind}", (kind, kind), "pred").run(gpu, tmp_path, *arrays)
    check_same(got, ORDERED[how](*arrays), *arrays)


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("kind", ["s32", "f64"])
def test_joined_with_a_predicate(gpu: Any, tmp_path: Path, kind: str, join: str) -> None:
    *arrays, condition = operands((kind, kind, "pred"))
    name = f"setp.lt.{join}.{kind}"
    got = Instruction(name, (kind, kind, "pred"), "pred").run(gpu, tmp_path, *arrays, condition)
    with np.errstate(invalid="ignore"):
        check_same(got, JOINS[join](arrays[0] < arrays[1], condition != 0), *arrays, condition)


@pytest.mark.parametrize("kind", [*(f"{letter}{n}" for letter in "bus" for n in (16, 32, 64)), "f32", "f64"])
def test_choice(gpu: Any, tmp_path: Path, kind: str) -> None:
    a, b, condition = operands((kind, kind, "pred"))
    got = Instruction(f"selp.{kind}", (kind, kind, "pred"), kind).run(gpu, tmp_path, a, b, condition)
    check_same(got, np.where(condition, a, b), a, b, condition)
