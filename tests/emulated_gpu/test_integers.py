"""Arithmetic and logic of integers against Python's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulated_gpu.one_instruction import DTYPES, Instruction
from emulated_gpu.operands import check_same, operands

SIGNED = ("s16", "s32", "s64")
KINDS = ("u16", "u32", "u64", *SIGNED)
BITS = ("b16", "b32", "b64")


def quotient(a: int, b: int) -> int:
    """Toward zero, where Python goes down."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def shifted(width: int, letter: str) -> Callable[[int, int], int]:
    # beyond the width nothing is left but the sign
    return lambda a, n: a << min(n, width) if letter == "l" else a >> min(n, width)


def check(
    cupy: Any,
    folder: Path,
    name: str,
    kinds: tuple[str, ...],
    result: str,
    reference: Callable[..., int],
    accepted: Callable[..., Any] | None = None,
) -> None:
    """Compare with a function of Python's integers, whose result is taken modulo the width."""
    arrays = operands(kinds)
    if accepted:
        arrays = [a[accepted(*arrays)] for a in arrays]
    got = Instruction(name, kinds, result).run(cupy, folder, *arrays)
    dtype = DTYPES[result]
    numbers = [reference(*(int(x) for x in xs)) for xs in zip(*arrays, strict=True)]
    want = np.array([n % (1 << 8 * dtype.itemsize) for n in numbers], f"u{dtype.itemsize}").view(dtype)
    check_same(got, want, *arrays)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("add", lambda a, b: a + b),
        ("sub", lambda a, b: a - b),
        ("mul.lo", lambda a, b: a * b),
        ("min", min),
        ("max", max),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_arithmetic(gpu: Any, tmp_path: Path, name: str, kind: str, reference: Callable) -> None:
    check(gpu, tmp_path, f"{name}.{kind}", (kind, kind), kind, reference)


@pytest.mark.parametrize("kind", KINDS)
def test_upper_half_of_a_product(gpu: Any, tmp_path: Path, kind: str) -> None:
    width = 8 * DTYPES[kind].itemsize
    check(gpu, tmp_path, f"mul.hi.{kind}", (kind, kind), kind, lambda a, b: a * b >> width)


@pytest.mark.parametrize("kind", ["u16", "u32", "s16", "s32"])
def test_wide_product(gpu: Any, tmp_path: Path, kind: str) -> None:
    wide = f"{kind[0]}{16 * DTYPES[kind].itemsize}"
    check(gpu, tmp_path, f"mul.wide.{kind}", (kind, kind), wide, lambda a, b: a * b)
    kinds = (kind, kind, wide)
    check(gpu, tmp_path, f"mad.wide.{kind}", kinds, wide, lambda a, b, c: a * b + c)


@pytest.mark.parametrize("kind", KINDS)
def test_multiply_add(gpu: Any, tmp_path: Path, kind: str) -> None:
    check(gpu, tmp_path, f"mad.lo.{kind}", (kind,) * 3, kind, lambda a, b, c: a * b + c)


@pytest.mark.parametrize("kind", KINDS)
def test_division(gpu: Any, tmp_path: Path, kind: str) -> None:
    def defined(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        # PTX leaves open what a division by zero gives
        return b != 0

    check(gpu, tmp_path, f"div.{kind}", (kind, kind), kind, quotient, defined)
    remainder = f"rem.{kind}"
    check(gpu, tmp_path, remainder, (kind, kind), kind, lambda a, b: a - b * quotient(a, b), defined)


def test_division_by_zero_does_not_end_the_process(gpu: Any, tmp_path: Path) -> None:
    zeros = np.zeros(3, np.int32)
    assert Instruction("div.s32", ("s32", "s32"), "s32").run(gpu, tmp_path, zeros + 5, zeros).shape == (3,)


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize(("name", "reference"), [("neg", lambda a: -a), ("abs", abs)])
def test_signs(gpu: Any, tmp_path: Path, name: str, kind: str, reference: Callable) -> None:
    check(gpu, tmp_path, f"{name}.{kind}", (kind,), kind, reference)


@pytest.mark.parametrize("kind", ["pred", *BITS])
def test_logic(gpu: Any, tmp_path: Path, kind: str) -> None:
    for name, reference in {
        "and": lambda a, b: a & b,
        "or": lambda a, b: a | b,
        "xor": lambda a, b: a ^ b,
    }.items():
        check(gpu, tmp_path, f"{name}.{kind}", (kind, kind), kind, reference)
    check(gpu, tmp_path, f"not.{kind}", (kind,), kind, lambda a: 1 - a if kind == "pred" else ~a)


@pytest.mark.parametrize("kind", [*BITS, *KINDS])
def test_shifts(gpu: Any, tmp_path: Path, kind: str) -> None:
    width = 8 * DTYPES[kind].itemsize
    check(gpu, tmp_path, f"shr.{kind}", (kind, "u32"), kind, shifted(width, "r"))
    if kind in BITS:
        check(gpu, tmp_path, f"shl.{kind}", (kind, "u32"), kind, shifted(width, "l"))


@pytest.mark.parametrize("kind", ["b32", "b64"])
def test_counted_bits(gpu: Any, tmp_path: Path, kind: str) -> None:
    width = 8 * DTYPES[kind].itemsize
    check(gpu, tmp_path, f"popc.{kind}", (kind,), "u32", int.bit_count)
    check(gpu, tmp_path, f"clz.{kind}", (kind,), "u32", lambda a: width - a.bit_length())
    check(gpu, tmp_path, f"brev.{kind}", (kind,), kind, lambda a: int(f"{a:0{width}b}"[::-1], 2))


def test_permutation_of_bytes(gpu: Any, tmp_path: Path) -> None:
    def reference(a: int, b: int, choice: int) -> int:
        source = a.to_bytes(4, "little") + b.to_bytes(4, "little")
        result = []
        for k in range(4):
            which = choice >> 4 * k & 15
            byte = source[which & 7]
            result.append(0xFF * (byte >> 7) if which & 8 else byte)
        return int.from_bytes(bytes(result), "little")

    check(gpu, tmp_path, "prmt.b32", ("b32",) * 3, "b32", reference)
