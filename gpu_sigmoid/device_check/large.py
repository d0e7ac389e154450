"""Arrays of more elements than a 32-bit index counts."""

from itertools import pairwise

import numpy as np

from gpu_sigmoid.device_check.layouts import sample
from gpu_sigmoid.device_check.subject import Device, Finding, call_public, difference, further
from gpu_sigmoid.functions import Function

BOUNDARY = 1 << 31


def check_large(device: Device, function: Function, dtype: np.dtype, boundary: int = BOUNDARY) -> Finding:
    """Compare with the CPU at the array's start, about the boundary, and at its end.

    Between those all elements are 0: the results there are to be the one of 0.
    """
    window = sample(dtype)
    more = further(function, "value", window)
    wants = np.asarray(call_public(function, "value", (window, *more)))
    size = boundary + 3 * window.size
    starts = (0, boundary - window.size // 2, size - window.size)
    operands = []
    for values in (window, *more):
        array = device.xp.zeros(size, dtype)
        for start in starts:
            array[start : start + window.size] = device.xp.asarray(values)
        operands.append(array)
    result = device.call(function, "value", tuple(operands))
    failure = None
    for start in starts:
        got = device.to_host(result[start : start + window.size])
        failure = failure or difference(got, wants, window)
    zero = np.zeros(1, dtype)
    of_zero = device.xp.asarray(call_public(function, "value", (zero,) * len(operands)))
    for begin, end in pairwise(starts):
        if failure is None and not bool((result[begin + window.size : end] == of_zero).all()):
            failure = f"between elements {begin + window.size} and {end} not all are the result of 0"
    return Finding("large", f"{function.__name__} {dtype.name}", size, failure)
