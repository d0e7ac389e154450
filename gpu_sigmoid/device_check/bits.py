"""Inputs by their bit patterns: all of 16 and 32 bits, random ones of 64."""

from collections.abc import Iterator

import numpy as np

from gpu_sigmoid.device_check.subject import Device, Finding, as_tuple, call_public, difference, further
from gpu_sigmoid.functions import Function

BLOCK = 1 << 24
# Patterns of 16 bits alone are too few for the kernels of large arrays.
REPEATS_OF_16_BITS = 33
FLOAT64_SAMPLE = 1 << 24
SEED = 20
MODES = ("value_and_grad", "grad2", "vjp")


def patterns(dtype: np.dtype, stride: int) -> Iterator[np.ndarray]:
    """Yield blocks of every `stride`-th pattern of up to 32 bits, or of random ones of 64.

    Those of 16 bits come in a small array and in a large one.
    """
    if dtype.itemsize == 8:
        rng = np.random.default_rng(SEED)
        left = -(-FLOAT64_SAMPLE // stride)
        while left > 0:
            yield rng.integers(0, 1 << 64, min(left, BLOCK), dtype=np.uint64).view(dtype)
            left -= BLOCK
        return
    end = 1 << (8 * dtype.itemsize)
    for start in range(0, end, BLOCK * stride):
        stop = min(start + BLOCK * stride, end)
        block = np.arange(start, stop, stride, dtype=np.uint64).astype(f"u{dtype.itemsize}").view(dtype)
        yield block
        if dtype.itemsize == 2:
            yield np.tile(block, REPEATS_OF_16_BITS)


def check(device: Device, function: Function, component: str, dtype: np.dtype, stride: int = 1) -> Finding:
    """Compare a component on all patterns with the CPU, block by block."""
    elements, failure = 0, None
    for x in patterns(dtype, stride):
        operands = (x, *further(function, component, x))
        on_device = tuple(device.xp.asarray(o) for o in operands)
        gots = as_tuple(device.call(function, component, on_device))
        wants = as_tuple(call_public(function, component, operands))
        elements += x.size
        for got, want in zip(gots, wants, strict=True):
            failure = failure or difference(device.to_host(got), want, x)
        if failure:
            break
    return Finding("bits", f"{function.__name__} {component} {dtype.name}", elements, failure)
