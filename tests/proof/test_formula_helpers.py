"""The formulas' helpers on bit patterns, at the edges of what they require."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from helpers.methods import mode

from gpu_sigmoid.backends.cpu.compile import compile_ufunc
from gpu_sigmoid.formulas.coefficients import LOG2_E
from gpu_sigmoid.formulas.double_double import fast_two_sum, round_to_odd
from gpu_sigmoid.formulas.exponential import (
    CAPPED,
    NEGLIGIBLE,
    NEGLIGIBLE_IF_WEIGHTED,
    ROUND,
    ROUND_SCALED,
    SCALE,
    binary_exponent,
)
from gpu_sigmoid.lowering.constants import FORMATS

DTYPES = ["float32", "float64"]


def odd(high, low):
    value = round_to_odd(high, low)
    return value, value, value


def pair(high, low):
    total, rest = fast_two_sum(high, low)
    return total, rest, rest


def split(x):
    n, power, scale, final_scale = binary_exponent(x, LOG2_E, SCALE, ROUND_SCALED, ROUND, CAPPED)
    return n, power * final_scale / scale, n


def computed(formula: Callable, name: str, dtype: str, *operands: Any) -> Any:
    arrays = [np.asarray(o, dtype) for o in operands]
    with np.errstate(all="ignore"):
        return compile_ufunc(formula, mode(name), dtype)(*arrays)


def edges(dtype: str) -> np.ndarray:
    """Return the least and the largest numbers, powers of two and their neighbours, and others."""
    info = np.finfo(dtype)
    powers = np.exp2(np.linspace(info.minexp, info.maxexp - 1, 50).round()).astype(dtype)
    numbers = np.concatenate(
        [
            np.array([info.smallest_subnormal, 3 * info.smallest_subnormal, info.max / 2], dtype),
            powers,
            np.nextafter(powers, np.array(np.inf, dtype)),
            np.nextafter(powers, np.array(0, dtype)),
            np.random.default_rng(0).normal(size=500).astype(dtype),
        ]
    )
    return np.concatenate([numbers, -numbers])


def rounded_to_odd(total: Fraction, near: np.floating) -> float:
    """Return `total` where it is a float, else the neighbour of it that has an odd last place."""
    if Fraction(float(near)) == total:
        return float(near)
    towards = np.array(np.inf if total > Fraction(float(near)) else -np.inf, near.dtype)
    other = np.nextafter(near, towards)
    return float(near if near.view(f"u{near.itemsize}") & 1 else other)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("part", [0.5, 0.49, 2**-20, -(2**-20), -0.25, -0.5])
def test_round_to_odd(part: float, dtype: str) -> None:
    high = edges(dtype)
    # half of the distance to the nearer neighbour at the most, and exact
    gap = np.minimum(*(np.abs(np.nextafter(high, np.array(s * np.inf, dtype)) - high) for s in (1, -1)))
    low = (gap * np.array(part, dtype)).astype(dtype)
    got = computed(odd, "value", dtype, high, low)
    for a, b, y in zip(high, low, got, strict=True):
        assert float(y) == rounded_to_odd(Fraction(float(a)) + Fraction(float(b)), a)


@pytest.mark.parametrize("dtype", DTYPES)
def test_round_to_odd_leaves_what_is_exact_or_not_finite(dtype: str) -> None:
    high = np.array([*edges(dtype), 0.0, -0.0, np.inf, -np.inf], dtype)
    for low in (0.0, -0.0, np.nan):
        assert computed(odd, "value", dtype, high, np.full_like(high, low)).tobytes() == high.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_fast_two_sum_is_fit_for_rounding_to_odd(dtype: str) -> None:
    rng = np.random.default_rng(1)
    high = edges(dtype)
    high[np.abs(high) > 2.0**100] = 1
    low = (high * rng.uniform(-1, 1, len(high)) * np.exp2(rng.integers(-60, 0, len(high)))).astype(dtype)
    cancelled = np.array([0.0, -0.0, 0.0, 1.5, -1.5], dtype)
    left = np.array([-1e-30, 1e-30, 0.0, -1.5, 1.5], dtype)
    high, low = np.concatenate([high, cancelled]), np.concatenate([low, left])
    total, rest = computed(pair, "value", dtype, high, low), computed(pair, "grad", dtype, high, low)
    for a, b, t, r in zip(high, low, total, rest, strict=True):
        assert Fraction(float(t)) + Fraction(float(r)) == Fraction(float(a)) + Fraction(float(b))
        assert t != 0 or r == 0
        assert t == t + r
    assert computed(pair, "value", dtype, np.inf, np.nan) == np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_exponent(dtype: str) -> None:
    format = FORMATS[dtype]
    assert math.log2(SCALE.of(format)) == {"float32": -64, "float64": -512}[dtype]
    for name, bound in (("grad", NEGLIGIBLE), ("vjp", NEGLIGIBLE_IF_WEIGHTED)):
        largest = bound.of(format)
        middles = (np.arange(0, largest / math.log(2) - 1) + 0.5) * math.log(2)
        x = np.unique(np.concatenate([[0.0, 1e-30, largest], middles, middles - 1e-6, middles + 1e-6]))
        x = np.minimum(x.astype(dtype), np.array(largest, dtype))
        n = computed(split, "value", dtype, x).astype(np.float64)
        assert (np.abs(x - n * math.log(2)) <= math.log(2) / 2 + 1e-4).all()
        assert (n == np.rint(n)).all()
        more = () if name == "grad" else (np.ones_like(x),)
        # scale * 2^n on the way to a result; where n was capped, what is left is the last factor
        got = computed(split, name, dtype, x, *more)
        cap = np.inf if name == "grad" else {"float32": 125, "float64": 1021}[dtype]
        left = np.where(n - cap == {"float32": 127, "float64": 1023}[dtype], 0.0, np.exp2(cap - n))
        scale = SCALE.of(format) if name == "grad" else 1.0
        wanted = np.ldexp(np.where(n > cap, left, scale), np.minimum(n, cap).astype(int))
        assert np.array_equal(got.astype(np.float64), wanted)
