"""A ufunc's inner loop, called with the addresses of another library's arrays.

To make NumPy arrays on their memory, and have NumPy look at them, takes as long as 5,000 elements.
"""

from collections.abc import Callable
from ctypes import CFUNCTYPE, PYFUNCTYPE, c_char_p, c_void_p
from struct import Struct
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.vectorize import LOOPS

# Elements. Above, other threads may run meanwhile.
SMALL = 1 << 12

PROTOTYPE = None, c_char_p, c_char_p, c_char_p, c_void_p
packed_count = Struct("n").pack


def on_addresses(ufunc: np.ufunc, itemsize: int) -> Callable[..., None]:
    """Return a function of a number of elements, which operands have a step, and all addresses.

    Operands without one are a single number for all elements. Results are contiguous; an operand
    is a result exactly, or apart from it.
    """
    address, data = LOOPS[ufunc]
    held: Any = PYFUNCTYPE(*PROTOTYPE)(address)
    released: Any = CFUNCTYPE(*PROTOTYPE)(address)
    packed_addresses = Struct(f"{ufunc.nargs}P").pack
    packed_steps: dict[tuple[bool, ...], bytes] = {}

    def compute(count: int, stepping: tuple[bool, ...], *addresses: int) -> None:
        steps = packed_steps.get(stepping)
        if steps is None:
            strides = [itemsize * steps for steps in stepping] + [itemsize] * ufunc.nout
            steps = packed_steps[stepping] = Struct(f"{ufunc.nargs}n").pack(*strides)
        loop = held if count <= SMALL else released
        loop(packed_addresses(*addresses), packed_count(count), steps, data)

    return compute
