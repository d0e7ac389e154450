"""Kernels on memory of any layout, without NumPy's iterator (`nest` says why)."""

from collections.abc import Callable, Sequence
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_char_p, c_ssize_t
from functools import cache, lru_cache
from math import prod
from struct import Struct

import numpy as np

from gpu_sigmoid.backends.cpu.addresses import GIL_HELD_UP_TO, LOOPS
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.backends.layout import layout_of
from gpu_sigmoid.backends.placed import Overlaps, Placed, repeats

View = tuple[tuple[int, ...], tuple[int, ...]]
"""An array's shape and strides."""

Loops = Callable[[bytes, int, int], None]
"""Compute a job between a start and a stop on its first axis."""


class Plan:
    """The layout of operands and results, apart from their addresses; all have elements of one size."""

    def __init__(self, itemsize: int, inputs: int, views: tuple[View, ...]) -> None:
        dtype = np.dtype(f"V{itemsize}")
        places = [Placed(0, *view, dtype) for view in views]
        layout = layout_of(views[-1][0], places)
        extents, columns = layout.extents or (1,), layout.columns or ((0,) * len(places),)
        steps = [step for column in columns for step in column]
        self.possible = not any(step % itemsize for step in steps) and not any(map(repeats, places[inputs:]))
        self.overlaps, self.itemsize = Overlaps(places, inputs), itemsize
        self.size, self.length, self.axes = prod(extents), extents[0], len(extents)
        self.nbytes = self.size * itemsize * len(places)
        self.loops, self.address = loops_of(itemsize, self.size <= GIL_HELD_UP_TO)
        self.pack = Struct(f"{3 + len(places)}n").pack
        axes = [number for n, column in zip(extents, columns, strict=True) for number in (n, *column)]
        self.after = Struct(f"{len(axes)}n").pack(*axes)

    def job(self, ufunc: np.ufunc, addresses: Sequence[int]) -> bytes | None:
        """Return the job that lets `loops` run a ufunc's kernel, between a start and a stop below `length`.

        None if a result shares memory with itself or with another array, except an operand that is exactly
        the result, or if elements are not at multiples of their size.
        """
        return None if self.overlaps.among(addresses) else self.job_apart(ufunc, addresses)

    def job_apart(self, ufunc: np.ufunc, addresses: Sequence[int]) -> bytes | None:
        """Return the same for results that share no memory with anything, such as new ones."""
        address_bits = 0
        for address in addresses:
            address_bits |= address
        if not self.possible or address_bits % self.itemsize:
            return None
        return self.pack(LOOPS[ufunc][1], self.nbytes, self.axes, *addresses) + self.after


plan_of = lru_cache(1 << 10)(Plan)


@cache
def loops_of(itemsize: int, held: bool = False) -> tuple[Loops, int]:
    """Return the loops over elements of so many bytes, which may hold the GIL, and their address."""
    from gpu_sigmoid.backends.cpu.native import nested_loops

    address = undisturbed(lambda: nested_loops(itemsize)).address or 0
    return (PYFUNCTYPE if held else CFUNCTYPE)(None, c_char_p, c_ssize_t, c_ssize_t)(address), address


def contiguous_job(ufunc: np.ufunc, arrays: Sequence[np.ndarray]) -> bytes | None:
    """Return the job on contiguous arrays of one shape, or None, as `job_on` does, but in less time."""
    addresses = [address_of(a) for a in arrays]
    count, inputs, last = len(addresses), ufunc.nin, arrays[-1]
    nbytes, itemsize = last.nbytes, last.itemsize
    address_bits = 0
    for k, address in enumerate(addresses):
        address_bits |= address
        for j in range(inputs, count):
            distance = addresses[j] - address
            if -nbytes < distance < nbytes and j != k and (distance or k >= inputs):
                return None
    if address_bits % itemsize:
        return None
    steps = (itemsize,) * count
    return one_axis(count)(LOOPS[ufunc][1], nbytes * count, 1, *addresses, last.size, *steps)


@cache
def one_axis(count: int) -> Callable[..., bytes]:
    """Return the function that packs a job on so many arrays with one axis."""
    return Struct(f"{4 + 2 * count}n").pack


def job_on(ufunc: np.ufunc, arrays: Sequence[np.ndarray]) -> tuple[Plan, bytes | None]:
    """Return the plan and the job on operands and results of the ufunc's dtype."""
    plan = plan_of(arrays[-1].itemsize, ufunc.nin, tuple([(a.shape, a.strides) for a in arrays]))
    return plan, plan.job(ufunc, [address_of(a) for a in arrays])


def exported_address(array: np.ndarray) -> int:
    """Return the address of an array's first element."""
    address: int = array.__array_interface__["data"][0]
    return address


def stored_address(array: np.ndarray) -> int:
    """Read it from the first field of the array's C struct, ten times as fast as asking NumPy."""
    return word_at(id(array) + HEADER).value


HEADER = object.__basicsize__
word_at = c_ssize_t.from_address
_sample = np.zeros(1)
address_of = stored_address if stored_address(_sample) == exported_address(_sample) else exported_address
