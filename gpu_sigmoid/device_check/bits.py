"""Inputs by their bit patterns: all of 16 and 32 bits, random ones of 64."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from gpu_sigmoid.device_check.subject import Check, Device, with_operands
from gpu_sigmoid.methods import Function, Method

BLOCK = 1 << 24
# There are too few 16-bit patterns for the kernels of large arrays.
REPEATS_OF_16_BITS = 33
FLOAT64_SAMPLE = 1 << 24
SEED = 20
MODES = ("value_and_grad", "grad2", "vjp")


def patterns(dtype: np.dtype, stride: int) -> Iterator[np.ndarray]:
    """Yield blocks of every `stride`-th pattern of up to 32 bits, or of random ones of 64.

    Those of 16 bits come both in a small array and in a large one.
    """
    if dtype.itemsize == 8:
        rng = np.random.default_rng(SEED)
        for left in range(-(-FLOAT64_SAMPLE // stride), 0, -BLOCK):
            yield rng.integers(0, 1 << 64, min(left, BLOCK), dtype=np.uint64).view(dtype)
        return
    end = 1 << (8 * dtype.itemsize)
    for start in range(0, end, BLOCK * stride):
        stop = min(start + BLOCK * stride, end)
        block = np.arange(start, stop, stride, dtype=np.uint64).astype(f"u{dtype.itemsize}").view(dtype)
        yield block
        if dtype.itemsize == 2:
            yield np.tile(block, REPEATS_OF_16_BITS)


def checks(device: Device, function: Function, dtype: np.dtype, stride: int = 1) -> Iterator[Check]:
    """Yield a check of each mode."""
    every = stride if dtype.itemsize == 4 else 1
    for method in (function.methods[mode] for mode in MODES):
        yield Check("bits", f"{method.label} {dtype}", partial(compare, device, method, dtype, every))


def compare(device: Device, method: Method, dtype: np.dtype, stride: int) -> tuple[int, str | None]:
    """Compare on all patterns, block by block."""
    elements = 0
    for x in patterns(dtype, stride):
        elements += x.size
        if failure := device.compared(method, with_operands(method, x)):
            return elements, failure
    return elements, None
