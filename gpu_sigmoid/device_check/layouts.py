"""Layouts of arrays: sizes, alignment, strides, results over inputs."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gpu_sigmoid.device_check.subject import Check, Device, with_operands
from gpu_sigmoid.methods import Function, Method

View = Callable[[Any], Any]

MODES = ("value_and_grad", "vjp")
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
    # from row to row multiples of 16 bytes, in results too, in every dtype
    "rows": lambda a: a[:4080].reshape(51, 80)[:, 16:56],
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


def checks(
    device: Device,
    function: Function,
    dtype: np.dtype,
    modes: Iterable[str] = MODES,
    views: Iterable[str] = tuple(VIEWS),
) -> Iterator[Check]:
    """Yield checks of arrays in various layouts."""
    for mode in modes:
        for name in views:
            method = function.methods[mode]
            compare = partial(compare_view, device, method, dtype, VIEWS[name])
            yield Check("layouts", f"{method.label} {dtype} {name}", compare)


def overlap_checks(device: Device, function: Function, dtype: np.dtype) -> Iterator[Check]:
    """Yield checks in which the result overlaps the input, partly or exactly."""
    for name, (read, written) in OVERLAPS.items():
        compare = partial(compare_overlap, device, function, dtype, read, written)
        yield Check("overlap", f"{function.label} {dtype} {name}", compare)


def compare_view(device: Device, method: Method, dtype: np.dtype, view: View) -> tuple[int, str | None]:
    whole = with_operands(method, sample(dtype))
    operands = tuple(map(view, whole))
    on_device = tuple(view(device.xp.asarray(o)) for o in whole)
    return operands[0].size, device.compared(method, operands, on_device)


def compare_overlap(
    device: Device, method: Method, dtype: np.dtype, read: View, written: View
) -> tuple[int, str | None]:
    whole = with_operands(method, sample(dtype))
    operands = tuple(map(read, whole))
    buffer = device.xp.array(whole[0])
    on_device = (read(buffer), *map(device.xp.asarray, operands[1:]))
    return operands[0].size, device.compared(method, operands, on_device, written(buffer))
