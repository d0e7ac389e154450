"""Arrays with more elements than a 32-bit index can count."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from gpu_sigmoid.device_check.layouts import sample
from gpu_sigmoid.device_check.subject import Check, Device, difference, with_operands
from gpu_sigmoid.methods import Function

BOUNDARY = 1 << 31


def checks(device: Device, function: Function, dtype: np.dtype) -> Iterator[Check]:
    """Yield the check of a function, in the smallest dtype: an array takes some 4 GiB."""
    if dtype == np.float16:
        yield Check("large", f"{function.label} {dtype}", partial(compare, device, function, dtype))


def compare(
    device: Device, function: Function, dtype: np.dtype, boundary: int = BOUNDARY
) -> tuple[int, str | None]:
    """Compare at the array's start, around the boundary, and at its end.

    All elements between are 0, and their results must be the result of 0.
    """
    windows = with_operands(function, sample(dtype))
    length = windows[0].size
    size = boundary + 3 * length
    starts = (0, boundary - length // 2, size - length)
    operands = tuple(device.xp.zeros(size, dtype) for _ in windows)
    for array, window in zip(operands, windows, strict=True):
        for start in starts:
            array[start : start + length] = device.xp.asarray(window)
    result = device.call(function, operands)
    want = function(*windows)
    for start in starts:
        if failure := difference(device.to_host(result[start : start + length]), want, windows[0]):
            return size, failure
    of_zero = device.xp.asarray(function(*[np.zeros(1, dtype)] * len(operands)))
    for begin, end in pairwise(starts):
        if not bool((result[begin + length : end] == of_zero).all()):
            return size, f"between elements {begin + length} and {end} not all are the result of 0"
    return size, None
