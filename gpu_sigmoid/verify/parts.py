"""What is measured, cut into blocks: ranges of x, and what goes beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.beside import ALL_MANTISSAS, ALL_PAIRS, CONSTANTS, labels, others

BLOCK = 1 << 22
# If the other operands are not constants, at most every 61st float32 is measured, and in a sample of
# 16-bit pairs every 64th x.
SPARSE, PAIRS_SAMPLE = 61, 64
# 16-bit x in a block of pairs.
ROWS = 1 << 12
# How often all 16-bit x are repeated if the other operands are random.
MANY_TIMES = 256


@dataclass(frozen=True)
class Part:
    """A block of the operands of one mode: a range of bit patterns, or all chosen numbers."""

    name: str
    mode: str
    dtype: str
    label: str | None
    """The rule for the operands beside x."""
    start: int = 0
    stop: int = 0
    stride: int = 1
    count: int = 0
    """How many float64 operands to choose."""
    times: int = 1
    """How often 16-bit operands are repeated, with different ones beside them."""
    result: int = 0
    """The index of the result, for modes with several."""

    @property
    def operands(self) -> np.ndarray:
        if self.dtype == "float32":
            # one more at the start, since neighbours are compared across blocks
            return inputs.patterns(max(self.start - self.stride, 0), self.stop, self.stride)
        if self.dtype == "float64":
            return inputs.chosen(self.name, self.count)
        everything = inputs.all_of(self.dtype)
        if self.of_pairs:
            return everything[self.start : self.stop : self.stride]
        return np.tile(everything, self.times)

    @property
    def of_pairs(self) -> bool:
        return self.label in (ALL_PAIRS, ALL_MANTISSAS)


def stride_of(dtype: str, label: str | None, stride: int) -> int:
    """Return the stride of x, given the stride between float32 patterns."""
    if label in (ALL_PAIRS, ALL_MANTISSAS):
        return 1 if stride == 1 else PAIRS_SAMPLE
    if dtype != "float32":
        return 1
    return stride if label in (None, *CONSTANTS) else max(stride, SPARSE)


def parts(name: str, mode: str, dtype: str, stride: int, count: int) -> list[Part]:
    """Return the blocks that a mode is measured in; `stride` is between float32 patterns."""
    found = []
    chosen = [(label, r) for r in results_of(name, mode) for label in labels(name, mode, dtype, r)]
    for label, result in chosen:
        every = stride_of(dtype, label, stride)
        at_random = others(name) and label not in (None, ALL_PAIRS, ALL_MANTISSAS, *CONSTANTS)
        times = MANY_TIMES if stride == 1 and at_random else 1
        part = Part(name, mode, dtype, label, stride=every, count=count, times=times, result=result)
        if part.of_pairs:
            found += blocks(part, range(0, 1 << 16, ROWS), 1 << 16)
        elif dtype == "float32":
            step = BLOCK * every
            # a new block starts where patterns change from positive to negative
            starts = [*range(0, 1 << 31, step), *range(1 << 31, inputs.PATTERNS, step)]
            found += blocks(part, starts, inputs.PATTERNS)
        else:
            found.append(part)
    return found


def results_of(name: str, mode: str) -> range:
    return range(len(FUNCTIONS[name].methods[mode].mode.partials))


def blocks(part: Part, starts: Iterable[int], end: int) -> list[Part]:
    """Return the part cut at `starts`."""
    return [replace(part, start=start, stop=stop) for start, stop in pairwise([*starts, end])]
