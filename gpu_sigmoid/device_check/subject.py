"""The device under test, a check of it, and its finding."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu_sigmoid.methods import Method


def call_public(method: Method, operands: tuple, out: Any = None) -> Any:
    """Call a method as a user does."""
    return method(*operands, out=out)


@dataclass(frozen=True)
class Streams:
    """A library's functions to make a stream, make it current, wait for it, and copy."""

    new: Callable[[], Any]
    current: Callable[[Any], AbstractContextManager]
    wait: Callable[[Any], None]
    wait_for_all: Callable[[], None]
    copy: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Device:
    """How arrays are transferred to a device and back, and how functions are called there.

    NumPy may serve as the device; then the CPU is compared with itself.
    """

    xp: Any
    to_host: Callable[[Any], np.ndarray]
    call: Callable[..., Any] = call_public
    streams: Streams | None = None

    def compared(
        self, method: Method, operands: tuple, on_device: tuple | None = None, out: Any = None
    ) -> str | None:
        """Return the first difference between the device's results and the CPU's.

        `on_device` are the operands there, if they need a certain layout, and `out` is the result.
        """
        arrays = tuple(map(self.xp.asarray, operands)) if on_device is None else on_device
        results = self.call(method, arrays, out)
        gots = as_tuple(results if out is None else out)
        return first_difference(map(self.to_host, gots), as_tuple(method(*operands)), operands[0])


@dataclass(frozen=True)
class Finding:
    """The outcome of one check."""

    check: str
    subject: str
    elements: int
    failure: str | None
    """The first difference, or None."""


@dataclass(frozen=True)
class Check:
    """A comparison of the device with the CPU, which returns the number of elements and a failure."""

    section: str
    subject: str
    compare: Callable[[], tuple[int, str | None]]

    def __call__(self) -> Finding:
        """Make the check. If it raises, it has failed, and others can still be made."""
        try:
            elements, failure = self.compare()
        except Exception as error:
            elements, failure = 0, f"raised {type(error).__name__}: {error}"
        return Finding(self.section, self.subject, elements, failure)


def with_operands(method: Method, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return x and a method's other operands, with many values."""
    cycle = np.array([0.25, 1.0, 0.0, -3.0, 0.75]).astype(x.dtype)
    return (x, *(np.roll(np.resize(cycle, x.shape), k) for k in range(len(method.operands) - 1)))


def as_tuple(results: Any) -> tuple:
    return results if isinstance(results, tuple) else (results,)


def first_difference(gots: Iterable[Any], wants: Iterable[Any], x: np.ndarray) -> str | None:
    """Describe the first of several results that differs."""
    found = (difference(got, np.asarray(want), x) for got, want in zip(gots, wants, strict=True))
    return next(filter(None, found), None)


def difference(got: Any, want: np.ndarray, x: np.ndarray) -> str | None:
    """Describe the first element whose bits differ; all nans are equal."""
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype} of shape {got.shape} in place of {want.dtype} of shape {want.shape}"
    bits = f"u{want.itemsize}"
    differs = np.asarray(got).view(bits) != want.view(bits)
    if not differs.any():
        return None
    with np.errstate(invalid="ignore"):  # bfloat16 warns when nans are compared
        differs &= (got == got) | (want == want)
    if not differs.any():
        return None
    at = tuple(int(i) for i in np.argwhere(differs)[0])
    pattern = int(x.view(bits)[at])
    count = np.count_nonzero(differs)
    return f"{count} differ; first x = {x[at]} ({pattern:#x}) gives {got[at]}, the CPU {want[at]}"
