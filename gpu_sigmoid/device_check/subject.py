"""The device under check, and what a check finds."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu_sigmoid.functions import Function


def call_public(function: Function, component: str, operands: tuple, out: Any = None) -> Any:
    """Call a component as a user does."""
    return function.methods[component](*operands, out=out)


@dataclass(frozen=True)
class Streams:
    """A library's streams: how one is made, made current and waited for, and how one copies."""

    new: Callable[[], Any]
    current: Callable[[Any], AbstractContextManager]
    wait: Callable[[Any], None]
    wait_for_all: Callable[[], None]
    copy: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Device:
    """How arrays get to a device and back, and how functions are called there.

    NumPy will do for a device: then the CPU is compared with itself.
    """

    xp: Any
    to_host: Callable[[Any], np.ndarray]
    call: Callable[..., Any] = call_public
    streams: Streams | None = None


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    subject: str
    elements: int
    failure: str | None
    """The first difference, None where there is none."""


def further(function: Function, component: str, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the operands that a component takes beside x, of many values."""
    more = len(function.methods[component].operands) - 1
    cycle = np.array([0.25, 1.0, 0.0, -3.0, 0.75]).astype(x.dtype)
    return tuple(np.roll(np.resize(cycle, x.shape), k) for k in range(more))


def as_tuple(results: Any) -> tuple:
    return results if isinstance(results, tuple) else (results,)


def difference(got: Any, want: np.ndarray, x: np.ndarray) -> str | None:
    """Describe the first element whose bits differ; which nan it is does not matter."""
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype} of shape {got.shape} in place of {want.dtype} of shape {want.shape}"
    bits = f"u{want.itemsize}"
    differs = np.asarray(got).view(bits) != want.view(bits)
    if not differs.any():
        return None
    with np.errstate(invalid="ignore"):  # bfloat16 warns of comparing nans
        differs &= (got == got) | (want == want)
    count = int(differs.sum())
    if not count:
        return None
    at = tuple(int(i) for i in np.argwhere(differs)[0])
    pattern = int(x.view(bits)[at])
    return f"{count} differ; first x = {x[at]} ({pattern:#x}) gives {got[at]}, the CPU {want[at]}"
