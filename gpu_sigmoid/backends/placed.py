"""Where arrays lie in memory, and whether they overlap: the same for every library's arrays."""

from itertools import combinations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np


class Placed(NamedTuple):
    """Where an array's elements lie; equal for arrays that are the same memory, read alike."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    @property
    def span(self) -> tuple[int, int]:
        """Return the first byte and the one past the last."""
        if 0 in self.shape:
            return self.address, self.address
        reach = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        low = sum(r for r in reach if r < 0)
        return self.address + low, self.address + sum(r for r in reach if r > 0) + self.dtype.itemsize


def apart(a: Placed, b: Placed) -> bool:
    """Return whether two arrays surely share no memory."""
    (a_low, a_high), (b_low, b_high) = a.span, b.span
    return a_high <= b_low or b_high <= a_low


class Overlaps:
    """Which of several arrays overlap, where it is known how they lie but for the addresses.

    The first so many are operands. One that is exactly a result does not count: its elements
    are read before they are written.
    """

    def __init__(self, places: list[Placed], operands: int) -> None:
        self.pairs = []
        for i, j in combinations(range(len(places)), 2):
            if j >= operands:
                a, b = (place._replace(address=0) for place in (places[i], places[j]))
                (a_low, a_high), (b_low, b_high) = a.span, b.span
                self.pairs.append((i, j, i < operands and a == b, a_low - b_high, a_high - b_low))

    def among(self, addresses: list[int]) -> list[tuple[int, int]]:
        """Return the pairs of indices, the smaller first, of arrays that may share memory."""
        found = []
        for i, j, alike, least, most in self.pairs:
            distance = addresses[j] - addresses[i]
            if least < distance < most and not (alike and distance == 0):
                found.append((i, j))
        return found


def overlapping(a: Placed, b: Placed) -> bool:
    """Return whether two arrays share an element: halves and every other element of one array do not.

    NumPy decides it, by addresses alone; where that would take long, they count as overlapping.
    """
    if apart(a, b):
        return False
    try:
        return np.shares_memory(memory_of(a), memory_of(b), max_work=100_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def repeats(place: Placed) -> bool:
    """Return whether elements of an array share memory, or may: its axes do not lie within each other."""
    if 0 in place.shape:
        return False
    reach = place.dtype.itemsize
    for step, count in sorted((abs(s), n) for s, n in zip(place.strides, place.shape, strict=True) if n > 1):
        if step < reach:
            return True
        reach = step * (count - 1) + reach
    return False


def refuse_misaligned(name: str, place: Placed) -> None:
    """Raise a ValueError if elements are not at multiples of their size: a GPU's context ends of it."""
    steps = [step for step, count in zip(place.strides, place.shape, strict=True) if count > 1]
    if 0 not in place.shape and any(at % place.dtype.itemsize for at in (place.address, *steps)):
        raise ValueError(
            f"{name}: an array's address and strides are to be multiples of the {place.dtype.itemsize} bytes "
            f"of its {place.dtype}, as a GPU needs them"
        )


def memory_of(place: Placed) -> np.ndarray:
    """Return an array at a place, whose elements are not to be touched: they may be a GPU's."""
    interface = {
        "version": 3,
        "data": (place.address, True),
        "shape": place.shape,
        "strides": place.strides,
        "typestr": f"|V{place.dtype.itemsize}",
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def shaped_like(shape: tuple[int, ...], operands: Any) -> Any:
    """Return the operand whose order of memory new results of `shape` take, None where there is none."""
    return next((o for o in operands if getattr(o, "ndim", 0) and o.shape == shape), None)


def ordered_strides(shape: tuple[int, ...], itemsize: int, like: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a contiguous array whose axes are in the order of other strides.

    As NumPy orders them: an axis without a step, of one element or repeated, tells nothing.
    """
    steps = [0 if n == 1 else abs(step) for n, step in zip(shape, like, strict=True)]
    inner_first: list[int] = []
    for axis in reversed(range(len(shape))):
        place = len(inner_first)
        for i, other in reversed(list(enumerate(inner_first))):
            if steps[axis] and steps[other]:
                if steps[axis] >= steps[other]:
                    break
                place = i
        inner_first.insert(place, axis)
    strides = [0] * len(shape)
    step = itemsize
    for axis in inner_first:
        strides[axis] = step
        step *= shape[axis]
    return tuple(strides)
