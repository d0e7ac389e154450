"""Floating-point formats and samples of their numbers."""

import numpy as np

from gpu_sigmoid.verify.units import UNITS

DTYPES = {name: UNITS[name].dtype for name in ("float16", "float32", "float64", "bfloat16")}
BFLOAT16 = DTYPES["bfloat16"]


def all_patterns(dtype: str, stride: int = 1) -> np.ndarray:
    """Return every `stride`-th bit pattern of a format of up to 32 bits."""
    bits = DTYPES[dtype].itemsize * 8
    return np.arange(0, 2**bits, stride, dtype=np.uint64).astype(f"uint{bits}").view(DTYPES[dtype])


def random_patterns(count: int, seed: int) -> np.ndarray:
    """Return float64 numbers with random bits: all exponents, nan and infinity too."""
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64).view(np.float64)
