"""Calls on arrays with the layout of an earlier call, so that nothing is worked out twice.

Working out what a call on arbitrary arrays needs takes the host ten times as long as launching a
kernel. So the result is kept, keyed by everything but the arrays' addresses and the numbers' values.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from cupy import ndarray
from cupy.cuda.runtime import getDevice, getDeviceCount

from gpu_sigmoid.backends.cupy.packed import VECTOR
from gpu_sigmoid.backends.placed import Overlaps


@cache
def several_devices() -> bool:
    return getDeviceCount() > 1


def described(operands: tuple, out: Any) -> tuple:
    """Return all that matters to a call except addresses and values; for other objects, their type."""
    arrays = (*operands, *out) if isinstance(out, tuple) else (*operands, out)
    described = [
        (a.shape, a.strides, a.dtype, a.data.ptr % VECTOR, a.data.device_id)
        if isinstance(a, ndarray)
        else type(a)
        for a in arrays
    ]
    return (*described, getDevice()) if several_devices() else tuple(described)


class Call:
    """How results are made, the kernel that fills them, and how operands and outputs may overlap.

    If they do overlap, it returns NotImplemented, since operands must be copied or outputs refused.
    """

    def __init__(
        self,
        as_operand: Callable[[Any], Any],
        fresh: Callable[[], Any],
        launch: Callable[[tuple, tuple], None],
        overlaps: Overlaps,
        results: int,
    ) -> None:
        self.as_operand, self.fresh, self.launch = as_operand, fresh, launch
        self.overlaps, self.results = overlaps, results

    def __call__(self, operands: tuple, out: Any) -> Any:
        outs = (None,) * self.results if out is None else out if isinstance(out, tuple) else (out,)
        addresses = [array.data.ptr for array in (*operands, *outs) if isinstance(array, ndarray)]
        if self.overlaps.among(addresses):
            return NotImplemented
        ready = tuple([o if isinstance(o, ndarray) else self.as_operand(o) for o in operands])
        results = tuple([self.fresh() if o is None else o for o in outs])
        self.launch(ready, results)
        return results if self.results > 1 else results[0]
