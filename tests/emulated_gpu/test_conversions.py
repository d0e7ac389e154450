"""Conversions against NumPy's, and bfloat16's against ml_dtypes'."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.floats import BFLOAT16

from emulated_gpu.one_instruction import DTYPES, Instruction
from emulated_gpu.operands import check_same, flushed, operands

INTEGERS = [f"{letter}{n}" for letter in "us" for n in (8, 16, 32, 64)]
ROUNDINGS = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers(gpu: Any, tmp_path: Path, kind: str) -> None:
    (x,) = operands((kind,))
    for to in INTEGERS:
        got = Instruction(f"cvt.{to}.{kind}", (kind,), to).run(gpu, tmp_path, x)
        check_same(got, x.astype(DTYPES[to]), x)


@pytest.mark.parametrize("to", ["f32", "f64"])
@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_to_floats(gpu: Any, tmp_path: Path, kind: str, to: str) -> None:
    (x,) = operands((kind,))
    got = Instruction(f"cvt.rn.{to}.{kind}", (kind,), to).run(gpu, tmp_path, x)
    check_same(got, x.astype(DTYPES[to]), x)


@pytest.mark.parametrize("how", ROUNDINGS)
@pytest.mark.parametrize("kind", ["f32", "ftz.f32", "f64"])
def test_floats_to_integers(gpu: Any, tmp_path: Path, kind: str, how: str) -> None:
    ftz, plain = kind.startswith("ftz."), kind.removeprefix("ftz.")
    (x,) = operands((plain,))
    x = x[~np.isnan(x)]
    for to in INTEGERS:
        name = f"cvt.{how}.{'ftz.' if ftz else ''}{to}.{plain}"
        got = Instruction(name, (plain,), to).run(gpu, tmp_path, x)
        limits = np.iinfo(DTYPES[to])
        whole = ROUNDINGS[how](flushed(x) if ftz else x)
        want = [
            limits.max if v >= limits.max else max(limits.min, int(v)) if v > limits.min else limits.min
            for v in whole.tolist()
        ]
        check_same(got, np.array(want, DTYPES[to]), x)


@pytest.mark.parametrize("name", ["cvt.f64.f32", "cvt.ftz.f64.f32", "cvt.rn.f32.f64", "cvt.rn.ftz.f32.f64"])
def test_floats(gpu: Any, tmp_path: Path, name: str) -> None:
    *_, to, kind = name.split(".")
    (x,) = operands((kind,))
    got = Instruction(name, (kind,), to).run(gpu, tmp_path, x)
    with np.errstate(all="ignore"):
        want = (flushed(x) if "ftz" in name and kind == "f32" else x).astype(DTYPES[to])
        check_same(got, flushed(want) if "ftz" in name and to == "f32" else want, x)


@pytest.mark.parametrize("how", ROUNDINGS)
@pytest.mark.parametrize("kind", ["f32", "ftz.f32", "f64"])
def test_floats_to_whole_floats(gpu: Any, tmp_path: Path, kind: str, how: str) -> None:
    ftz, plain = kind.startswith("ftz."), kind.removeprefix("ftz.")
    (x,) = operands((plain,))
    got = Instruction(f"cvt.{how}.{kind}.{plain}", (plain,), plain).run(gpu, tmp_path, x)
    with np.errstate(invalid="ignore"):
        check_same(got, ROUNDINGS[how](flushed(x) if ftz else x), x)


@pytest.mark.parametrize("name", ["cvt.f32.f16", "cvt.ftz.f32.f16"])
def test_all_halves_to_floats(gpu: Any, tmp_path: Path, name: str) -> None:
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    check_same(Instruction(name, ("f16",), "f32").run(gpu, tmp_path, x), x.astype(np.float32), x)


@pytest.mark.parametrize("name", ["cvt.rn.f16.f32", "cvt.rn.ftz.f16.f32"])
def test_floats_to_halves(gpu: Any, tmp_path: Path, name: str) -> None:
    x = around_sixteen_bits(np.dtype(np.float16))
    got = Instruction(name, ("f32",), "f16").run(gpu, tmp_path, x)
    with np.errstate(over="ignore"):
        check_same(got, (flushed(x) if "ftz" in name else x).astype(np.float16), x)


def test_doubles_to_halves(gpu: Any, tmp_path: Path) -> None:
    halfway = around_sixteen_bits(np.dtype(np.float16)).astype(np.float64)
    # so near to a tie that a float32 does not tell them apart
    beside = [np.nextafter(halfway, sign * np.inf) for sign in (1, -1)]
    x = np.concatenate([halfway, *beside, *operands(("f64",))])
    got = Instruction("cvt.rn.f16.f64", ("f64",), "f16").run(gpu, tmp_path, x)
    with np.errstate(over="ignore"):
        check_same(got, x.astype(np.float16), x)


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_to_halves(gpu: Any, tmp_path: Path, kind: str) -> None:
    dtype = DTYPES[kind]
    near = np.arange(-70_000, 70_000).astype(dtype)
    x = np.concatenate([near, *operands((kind,))])
    got = Instruction(f"cvt.rn.f16.{kind}", (kind,), "f16").run(gpu, tmp_path, x)
    with np.errstate(over="ignore"):
        # exact in float64 as far as halves go
        check_same(got, x.astype(np.float64).astype(np.float16), x)


def around_sixteen_bits(dtype: np.dtype) -> np.ndarray:
    """Return float32: each number of 16 bits, what lies halfway to the next and beside that, and others."""
    numbers = np.arange(1 << 16, dtype=np.uint16).view(dtype).astype(np.float32)
    numbers = np.sort(numbers[np.isfinite(numbers)])
    with np.errstate(over="ignore"):
        halfway = (numbers[1:].astype(np.float64) + numbers[:-1]) / 2
    halfway = halfway.astype(np.float32)
    beside = [np.nextafter(halfway, np.float32(sign * np.inf)) for sign in (1, -1)]
    return np.concatenate([numbers, halfway, *beside, *operands(("f32",))])


def test_all_bfloats_to_floats(gpu: Any, tmp_path: Path) -> None:
    x = np.arange(1 << 16, dtype=np.uint16)
    got = Instruction("cvt.f32.bf16", ("bf16",), "f32").run(gpu, tmp_path, x)
    check_same(got, x.view(BFLOAT16).astype(np.float32), x)


def test_floats_to_bfloats(gpu: Any, tmp_path: Path) -> None:
    x = around_sixteen_bits(BFLOAT16)
    got = Instruction("cvt.rn.bf16.f32", ("f32",), "bf16").run(gpu, tmp_path, x).view(BFLOAT16)
    nan = np.isnan(x)
    assert np.isnan(got.astype(np.float32)[nan]).all()
    check_same(got[~nan].view(np.uint16), x[~nan].astype(BFLOAT16).view(np.uint16), x[~nan])
