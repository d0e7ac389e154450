"""Operands of instructions for tests: every pair or triple of the numbers at the edges, and random bits."""

import itertools

import numpy as np

from emulated_gpu.one_instruction import DTYPES

RANDOM = 2000


def edges(kind: str) -> np.ndarray:
    """Return a type's numbers at which something changes."""
    dtype = DTYPES[kind]
    if kind == "pred":
        return np.array([0, 1], dtype)
    if dtype.kind == "f":
        info = np.finfo(dtype)
        positive = [0.0, info.smallest_subnormal, info.smallest_normal, 0.5, 1.0, 1.5, 3.0, 1000.3, info.max]
        positive += [
            np.nextafter(info.smallest_normal, dtype.type(0)),
            np.nextafter(dtype.type(1), 2),
            np.inf,
        ]
        return np.array([*positive, *(-x for x in positive), np.nan], dtype)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return np.unique(
        np.array([low, low + 1, 0, 1, 2, 7, 31, 32, 33, 63, 64, high - 1, high, *[-1] * (low < 0)], dtype)
    )


def random(kind: str, count: int, seed: int) -> np.ndarray:
    """Return numbers of random bits: of floats, all exponents and nans too."""
    bits = np.random.default_rng(seed).integers(0, 256, (count, DTYPES[kind].itemsize), np.uint8)
    numbers = bits.reshape(-1).view(DTYPES[kind])
    return numbers & 1 if kind == "pred" else numbers


def operands(kinds: tuple[str, ...]) -> list[np.ndarray]:
    """Return operands of so many types."""
    grid = np.array(list(itertools.product(*(range(len(edges(kind))) for kind in kinds)))).T
    return [
        np.concatenate([edges(kind)[rows], random(kind, RANDOM, seed)])
        for seed, (kind, rows) in enumerate(zip(kinds, grid, strict=True))
    ]


def moderate(kinds: tuple[str, ...]) -> list[np.ndarray]:
    """Return floats of like size, which meet in all bits of a sum."""
    rng = np.random.default_rng(len(kinds))
    return [(rng.normal(size=RANDOM) * 2.0 ** rng.integers(-9, 9, RANDOM)).astype(DTYPES[k]) for k in kinds]


def flushed(x: np.ndarray) -> np.ndarray:
    """Return float32 with zeros of their sign for subnormals."""
    return np.where(np.abs(x) < np.finfo(np.float32).tiny, np.copysign(np.float32(0), x), x)


def check_same(got: np.ndarray, want: np.ndarray, *operands: np.ndarray) -> None:
    """Compare bits; a nan is a nan."""
    want = want.astype(got.dtype, copy=False)
    differs = got.view(f"u{got.itemsize}") != want.view(f"u{got.itemsize}")
    if got.dtype.kind == "f":
        differs &= ~(np.isnan(got) & np.isnan(want))
    if differs.any():
        first = int(np.argmax(differs))
        given = ", ".join(repr(operand[first]) for operand in operands)
        raise AssertionError(
            f"{differs.sum()} differ; first of ({given}): {got[first]!r}, not {want[first]!r}"
        )
