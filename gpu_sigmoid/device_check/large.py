"""Arrays of more elements than a 32-bit index counts."""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from gpu_sigmoid.device_check.layouts import sample
from gpu_sigmoid.device_check.subject import Check, Device, difference, with_operands
from gpu_sigmoid.methods import Function

BOUNDARY = 1 << 31


def checks(device: Device, function: Function, dtype: np.dtype) -> Iterator[Check]:
    """Yield the check of a function, in the dtype in which an array takes the least: some 4 GiB."""
    if dtype == np.float16:
        yield Check("large", f"{function.label} {dtype}", partial(compare, device, function, dtype))


def compare(
    device: Device, function: Function, dtype: np.dtype, boundary: int = BOUNDARY
) -> tuple[int, str | None]:
    """Compare at the array's start, about the boundary, and at its end.

    Between those all elements are 0: the results there are to be the one of 0.
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
