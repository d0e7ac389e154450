"""Floating-point formats as the tests see them: units in the last place, samples."""

import ml_dtypes
import numpy as np
from mpmath import floor, frexp, ldexp, mpf

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = {name: np.dtype(name) for name in ("float16", "float32", "float64")} | {"bfloat16": BFLOAT16}
# bits of significand, exponent of the smallest subnormal, exponent of overflow
FORMATS = {
    "float16": (11, -24, 16),
    "bfloat16": (8, -133, 128),
    "float32": (24, -149, 128),
    "float64": (53, -1074, 1024),
}


def unit(scale: mpf, dtype: str) -> mpf:
    """Return the last place of a number of magnitude `scale`, that of subnormals at least."""
    precision, least, _ = FORMATS[dtype]
    exponent = frexp(scale)[1] if scale else least
    return ldexp(mpf(1), max(exponent - precision, least))


def rounds_to_infinity(exact: mpf, dtype: str) -> bool:
    precision, _, most = FORMATS[dtype]
    return abs(exact) >= ldexp(mpf(2) - ldexp(mpf(1), -precision), most - 1)


def error_in_ulp(got: float, exact: mpf, scale: mpf, dtype: str) -> float:
    if rounds_to_infinity(exact, dtype):
        return 0.0 if got == float("inf") * (1 if exact > 0 else -1) else float("inf")
    if not np.isfinite(got):
        # overflow by less than the bound is an error of that size
        return float(abs(ldexp(mpf(1), FORMATS[dtype][2]) - abs(exact)) / unit(abs(exact), dtype))
    return float(abs(mpf(float(got)) - exact) / unit(scale, dtype))


def nearest(exact: mpf, dtype: str) -> float:
    """Return `exact` rounded to nearest, ties to even."""
    if rounds_to_infinity(exact, dtype):
        return float("inf") if exact > 0 else float("-inf")
    step = unit(abs(exact), dtype)
    quotient = exact / step
    below = floor(quotient)
    rest = quotient - below
    up = rest > 0.5 or (rest == 0.5 and int(below) % 2 == 1)
    return float((below + (1 if up else 0)) * step)


def all_patterns(dtype: str, stride: int = 1) -> np.ndarray:
    """Return every `stride`-th bit pattern of a format of up to 32 bits."""
    bits = DTYPES[dtype].itemsize * 8
    return np.arange(0, 2**bits, stride, dtype=np.uint64).astype(f"uint{bits}").view(DTYPES[dtype])


def random_patterns(count: int, seed: int) -> np.ndarray:
    """Return float64 numbers with random bits: all exponents, nan and infinity too."""
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64).view(np.float64)
