"""Arithmetic of floats against NumPy's, and fused multiply-add against exact fractions."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulated_gpu.one_instruction import Instruction
from emulated_gpu.operands import check_same, flushed, moderate, operands

KINDS = ("f32", "ftz.f32", "f64")
BINARY: dict[str, Callable[..., np.ndarray]] = {
    "add.rn": np.add,
    "sub.rn": np.subtract,
    "mul.rn": np.multiply,
    "div.rn": np.divide,
    # alone, what an assembler may contract is rounded to nearest
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "min": lambda a, b: np.where(a == b, np.where(np.signbit(a), a, b), np.fmin(a, b)),
    "max": lambda a, b: np.where(a == b, np.where(np.signbit(a), b, a), np.fmax(a, b)),
}
UNARY: dict[str, Callable[..., np.ndarray]] = {
    "sqrt.rn": np.sqrt,
    "rcp.rn": lambda x: 1 / x,
    "abs": np.abs,
    "neg": np.negative,
}


def check(cupy: Any, folder: Path, name: str, kind: str, arity: int, reference: Callable) -> None:
    kinds = (kind.removeprefix("ftz."),) * arity
    ftz = kind.startswith("ftz.")
    for arrays in (operands(kinds), moderate(kinds)):
        got = Instruction(f"{name}.{kind}", kinds, kinds[0]).run(cupy, folder, *arrays)
        with np.errstate(all="ignore"):
            want = reference(*(flushed(a) if ftz else a for a in arrays))
            check_same(got, flushed(want) if ftz else want, *arrays)
        if kinds[0] == "f32" and name not in ("abs", "neg"):
            assert (got.view(np.uint32)[np.isnan(got)] == 0x7FFFFFFF).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BINARY)
def test_two_operands(gpu: Any, tmp_path: Path, name: str, kind: str) -> None:
    check(gpu, tmp_path, name, kind, 2, BINARY[name])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNARY)
def test_one_operand(gpu: Any, tmp_path: Path, name: str, kind: str) -> None:
    check(gpu, tmp_path, name, kind, 1, UNARY[name])


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_copysign(gpu: Any, tmp_path: Path, kind: str) -> None:
    signs, magnitudes = arrays = operands((kind, kind))
    got = Instruction(f"copysign.{kind}", (kind, kind), kind).run(gpu, tmp_path, *arrays)
    check_same(got, np.copysign(magnitudes, signs), *arrays)


@pytest.mark.parametrize("kind", KINDS)
def test_multiply_add(gpu: Any, tmp_path: Path, kind: str) -> None:
    kinds = (kind.removeprefix("ftz."),) * 3
    ftz = kind.startswith("ftz.")
    for whole in (operands(kinds), moderate(kinds)):
        # exact fractions are slow: coprime to what repeats in the edges
        arrays = [a[::7] for a in whole]
        got = Instruction(f"fma.rn.{kind}", kinds, kinds[0]).run(gpu, tmp_path, *arrays)
        given = [flushed(a) if ftz else a for a in arrays]
        want = np.array(
            [fused(*(x.item() for x in xs), got.dtype) for xs in zip(*given, strict=True)], got.dtype
        )
        check_same(got, flushed(want) if ftz else want, *arrays)


def fused(a: float, b: float, c: float, dtype: np.dtype) -> float:
    """Return a * b + c, rounded once."""
    if not all(map(math.isfinite, (a, b, c))):
        return c if math.isfinite(a) and math.isfinite(b) else a * b + c
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    return rounded(exact, np.finfo(dtype)) if exact else a * b + c


def rounded(exact: Fraction, info: Any) -> float:
    """Return the nearest number of a format, ties to even."""
    sign = -1.0 if exact < 0 else 1.0
    exponent = max(exponent_of(exact), info.minexp) - info.nmant
    # Python rounds a fraction half to even
    units = round(exact / Fraction(2) ** exponent)
    limit = int(Fraction(float(info.max)) / Fraction(2) ** (info.maxexp - 1 - info.nmant))
    if exponent >= info.maxexp - info.nmant or (
        exponent == info.maxexp - 1 - info.nmant and abs(units) > limit
    ):
        return sign * math.inf
    # an exact result below half of the least number is a zero of its sign
    return sign * math.ldexp(abs(units), exponent)


def exponent_of(exact: Fraction) -> int:
    """Return the power of two that a number is at least."""
    exponent = abs(exact.numerator).bit_length() - exact.denominator.bit_length()
    return exponent - (abs(exact) < Fraction(2) ** exponent)


def test_approximate_reciprocal_is_within_a_unit(gpu: Any, tmp_path: Path) -> None:
    (x,) = operands(("f32",))
    got = Instruction("rcp.approx.ftz.f32", ("f32",), "f32").run(gpu, tmp_path, x)
    with np.errstate(all="ignore"):
        want = flushed(1 / flushed(x))
        finite = np.isfinite(want) & (want != 0)
        off = got.view(np.int32).astype(np.int64) - want.view(np.int32)
    assert (np.abs(off[finite]) <= 1).all()
    check_same(got[~finite], want[~finite], x[~finite])
