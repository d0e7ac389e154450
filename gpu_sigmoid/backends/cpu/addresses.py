"""A ufunc's inner loop, called with the addresses of another library's arrays.

Making NumPy arrays on their memory, and letting NumPy inspect them, takes as long as 5,000 elements.
"""

from ctypes import CFUNCTYPE, PYFUNCTYPE, c_char_p, c_void_p
from struct import Struct
from typing import Any

import numpy as np

LOOPS: dict[np.ufunc, tuple[Any, int]] = {}
"""The addresses of each ufunc's inner loop and of the record passed to it."""

WORK: dict[np.ufunc, int] = {}
"""Each ufunc's work for an element: the number of the formula's operations times the bytes of their operands.

It estimates how long a call takes. A unit is 3 to 4.5 ps on a Xeon (Sapphire Rapids) and 1.4 ps on a Zen 5,
whatever the function and the dtype.
"""

GIL_HELD_UP_TO = 1 << 12
"""Elements up to which a call keeps the GIL; during a longer one, other threads run Python."""

PROTOTYPE = None, c_char_p, c_char_p, c_char_p, c_void_p
packed_count = Struct("n").pack


class Loop:
    """The loop and its arguments, as bytes that ctypes passes on unchanged.

    Calls of a few elements call `held` directly: a Python function in between takes as long as 500 elements.
    """

    __slots__ = (
        "all_steps",
        "data",
        "held",
        "itemsize",
        "outputs",
        "packed",
        "packed_steps",
        "released",
        "ufunc",
    )

    def __init__(self, ufunc: np.ufunc, itemsize: int) -> None:
        self.ufunc = ufunc
        address, self.data = LOOPS[ufunc]
        self.held: Any = PYFUNCTYPE(*PROTOTYPE)(address)
        """The loop, called with `packed` addresses, count, steps and `data`; it holds the GIL."""
        self.released: Any = CFUNCTYPE(*PROTOTYPE)(address)
        self.packed: Any = Struct(f"{ufunc.nargs}P").pack
        self.itemsize, self.outputs = itemsize, ufunc.nout
        self.packed_steps: dict[tuple[bool, ...], bytes] = {}
        self.all_steps = self.steps((True,) * ufunc.nin)

    def __call__(self, count: int, stepping: tuple[bool, ...], *addresses: int) -> None:
        """Compute on `count` elements; an operand has a step, or is a single number for all.

        Results are contiguous; an operand is either exactly a result or does not overlap it.
        """
        steps = self.packed_steps.get(stepping) or self.steps(stepping)
        loop = self.held if count <= GIL_HELD_UP_TO else self.released
        loop(self.packed(*addresses), packed_count(count), steps, self.data)

    def steps(self, stepping: tuple[bool, ...]) -> bytes:
        strides = [self.itemsize * steps for steps in (*stepping, *[True] * self.outputs)]
        steps = self.packed_steps[stepping] = Struct(f"{len(strides)}n").pack(*strides)
        return steps
