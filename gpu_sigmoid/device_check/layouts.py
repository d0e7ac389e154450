"""Ways arrays can lie in memory: sizes, alignment, strides, results over inputs."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gpu_sigmoid.device_check.subject import Device, Finding, as_tuple, call_public, difference, further
from gpu_sigmoid.functions import Function

View = Callable[[Any], Any]

VIEWS: dict[str, View] = {
    "empty": lambda a: a[:0],
    "0-d": lambda a: a[7:8].reshape(()),
    "one": lambda a: a[:1],
    "odd": lambda a: a[:1021],
    "misaligned": lambda a: a[1:1000],
    "strided": lambda a: a[::3],
    "reversed": lambda a: a[::-1],
    "matrix": lambda a: a[:4080].reshape(51, 80),
    "transposed": lambda a: a[:4080].reshape(51, 80).T,
    "holes": lambda a: a[:4080].reshape(6, 8, 85)[::2, 1:7, ::-4],
}
OVERLAPS: dict[str, tuple[View, View]] = {
    "in place": (lambda a: a, lambda a: a),
    "moved up": (lambda a: a[:-5], lambda a: a[5:]),
    "moved down": (lambda a: a[5:], lambda a: a[:-5]),
    "spread": (lambda a: a[: a.size // 2], lambda a: a[: a.size // 2 * 2 : 2]),
    "turned": (lambda a: a, lambda a: a[::-1]),
}


def sample(dtype: np.dtype) -> np.ndarray:
    return np.linspace(-12, 12, 4099).astype(dtype)


def check_view(device: Device, function: Function, component: str, dtype: np.dtype, name: str) -> Finding:
    """Compare with the CPU on arrays that lie in memory in one way."""
    x = sample(dtype)
    whole = (x, *further(function, component, x))
    operands = tuple(VIEWS[name](o) for o in whole)
    on_device = tuple(VIEWS[name](device.xp.asarray(o)) for o in whole)
    gots = as_tuple(device.call(function, component, on_device))
    wants = as_tuple(call_public(function, component, operands))
    failures = (
        difference(device.to_host(g), np.asarray(w), operands[0]) for g, w in zip(gots, wants, strict=True)
    )
    failure = next((f for f in failures if f), None)
    return Finding(
        "layout", f"{function.__name__} {component} {dtype.name} {name}", operands[0].size, failure
    )


def check_overlap(device: Device, function: Function, dtype: np.dtype, name: str) -> Finding:
    """Compare with the CPU where the result's memory is the input's, in all or in part."""
    read, written = OVERLAPS[name]
    x = sample(dtype)
    more = tuple(read(o) for o in further(function, "value", x))
    want = np.asarray(call_public(function, "value", (read(x), *more)))
    buffer = device.xp.array(x)
    operands = (read(buffer), *(device.xp.asarray(o) for o in more))
    device.call(function, "value", operands, written(buffer))
    failure = difference(device.to_host(written(buffer)), want, read(x))
    return Finding("overlap", f"{function.__name__} {dtype.name} {name}", want.size, failure)
