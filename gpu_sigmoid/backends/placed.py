"""Where arrays lie in memory, and whether they overlap: the same for every library's arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Placed:
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


def shaped_like(shape: tuple[int, ...], operands: Any) -> Any:
    """Return the operand whose order of memory new results of `shape` take, None where there is none."""
    return next((o for o in operands if getattr(o, "ndim", 0) and o.shape == shape), None)
