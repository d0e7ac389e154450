"""Where arrays are in memory, and whether they overlap, for arrays of any library."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np


class Placed(NamedTuple):
    """Where an array's elements are; equal for arrays that read the same memory in the same way."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    @property
    def span(self) -> tuple[int, int]:
        """Return the address of the first byte and the one after the last."""
        if 0 in self.shape:
            return self.address, self.address
        reach = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        low = sum(r for r in reach if r < 0)
        return self.address + low, self.address + sum(r for r in reach if r > 0) + self.dtype.itemsize


def apart(a: Placed, b: Placed) -> bool:
    """Return whether two arrays certainly share no memory; for equal strides the answer is exact."""
    (a_low, a_high), (b_low, b_high) = a.span, b.span
    if a_high <= b_low or b_high <= a_low:
        return True
    axes = common_axes(a, b)
    return axes is not None and not meet(axes, b.address - a.address, max(a.dtype.itemsize, b.dtype.itemsize))


Axes = tuple[tuple[int, int, int], ...]
"""For each axis, outermost first, the stride, and the range of differences between the indices of an element
of one array and of an element of the other."""


def common_axes(a: Placed, b: Placed) -> Axes | None:
    """Return the axes of two arrays if their strides are equal and nested."""
    if len(a.shape) != len(b.shape) or repeats(a) or repeats(b):
        return None
    axes = []
    for n, step, other_n, other_step in zip(a.shape, a.strides, b.shape, b.strides, strict=True):
        if n > 1 and other_n > 1 and step != other_step:
            return None
        step = step if n > 1 else other_step
        axes.append((step, 1 - other_n, n - 1) if step >= 0 else (-step, 1 - n, other_n - 1))
    return tuple(sorted((axis for axis in axes if axis[1:] != (0, 0)), reverse=True))


def meet(axes: Axes, distance: int, itemsize: int) -> bool:
    """Return whether two arrays share a byte, given their distance, axes and element size."""
    if not axes:
        return abs(distance) < itemsize
    (step, least, most), *inner = axes
    reach = itemsize - 1 + sum(s * max(-low, high) for s, low, high in inner)
    first = max(least, -((reach - distance) // step))
    last = min(most, (distance + reach) // step)
    return any(meet(tuple(inner), distance - k * step, itemsize) for k in range(first, last + 1))


class Overlaps:
    """Finds which of several arrays overlap, given everything about their layout but the addresses.

    The operands come first. An operand that is exactly a result does not count as overlapping, since
    its elements are read before they are written.
    """

    def __init__(self, places: list[Placed], operands: int) -> None:
        self.pairs = []
        for i, j in combinations(range(len(places)), 2):
            if j >= operands:
                a, b = (place._replace(address=0) for place in (places[i], places[j]))
                (a_low, a_high), (b_low, b_high) = a.span, b.span
                itemsize = max(a.dtype.itemsize, b.dtype.itemsize)
                exact = i < operands and a == b
                self.pairs.append((i, j, exact, a_low - b_high, a_high - b_low, common_axes(a, b), itemsize))

    def among(self, addresses: Sequence[int]) -> list[tuple[int, int]]:
        """Return the index pairs, smaller first, of arrays that may share memory."""
        found = []
        for i, j, alike, least, most, axes, itemsize in self.pairs:
            distance = addresses[j] - addresses[i]
            if least < distance < most and not (alike and distance == 0):
                # the spans overlap; the axes tell whether elements do
                found += [(i, j)] if axes is None or meet(axes, distance, itemsize) else []
        return found


def overlapping(a: Placed, b: Placed) -> bool:
    """Return whether two arrays share an element; for instance, the halves of one array do not.

    NumPy decides this from the addresses; if that would take long, the arrays count as overlapping.
    """
    if apart(a, b):
        return False
    try:
        return np.shares_memory(memory_of(a), memory_of(b), max_work=100_000)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def repeats(place: Placed) -> bool:
    """Return whether elements of an array may share memory, because its axes are not nested."""
    if 0 in place.shape:
        return False
    reach = place.dtype.itemsize
    for step, count in sorted((abs(s), n) for s, n in zip(place.strides, place.shape, strict=True) if n > 1):
        if step < reach:
            return True
        reach = step * (count - 1) + reach
    return False


def refuse_misaligned(name: str, place: Placed) -> None:
    """Raise a ValueError if elements are not at multiples of their size, which kills a GPU's context."""
    steps = [step for step, count in zip(place.strides, place.shape, strict=True) if count > 1]
    if 0 not in place.shape and any(at % place.dtype.itemsize for at in (place.address, *steps)):
        raise ValueError(
            f"{name}: an array's address and strides must be multiples of the {place.dtype.itemsize} bytes "
            f"of its {place.dtype}, as a GPU needs them"
        )


def common_device(name: str, numbers: Iterable[int]) -> int:
    """Return the number of the GPU that all arrays are on; raise a TypeError if there are several."""
    first, *others = sorted({*numbers})
    if others:
        names = " and ".join(f"GPU {number}" for number in (first, *others))
        raise TypeError(f"{name}: arrays on {names}: move them to one first")
    return first


def refuse_byte_order(name: str, dtype: np.dtype) -> None:
    """Raise a TypeError if elements are in the other byte order, which GPUs cannot use."""
    if not dtype.isnative:
        raise TypeError(
            f"{name}: {dtype.name} in the other byte order ({dtype.str}), which GPUs cannot use: convert it "
            f"to {dtype.newbyteorder().str}"
        )


def memory_of(place: Placed) -> np.ndarray:
    """Return an array at a place; its elements must not be accessed, since they may be on a GPU."""
    interface = {
        "version": 3,
        "data": (place.address, True),
        "shape": place.shape,
        "strides": place.strides,
        "typestr": f"|V{place.dtype.itemsize}",
    }
    return np.asarray(SimpleNamespace(__array_interface__=interface))


def shaped_like(shape: tuple[int, ...], operands: Any) -> Any:
    """Return the operand whose memory order new results of `shape` take, None if there is none."""
    return next((o for o in operands if getattr(o, "ndim", 0) and o.shape == shape), None)


def ordered_strides(shape: tuple[int, ...], itemsize: int, like: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a contiguous array whose axes are in the order of other strides.

    The order is NumPy's: axes of one element and repeated axes do not count.
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
