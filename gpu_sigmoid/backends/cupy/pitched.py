"""Arrays as rows at a pitch: halves of one array, columns of a wider one, operands repeated for rows.

`packed`'s kernels serve them where all begin equally far from 16-byte boundaries, and so does every row.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gpu_sigmoid.backends.cupy import packed
from gpu_sigmoid.backends.cupy.packed import ELEMENT, NUMBER, THREADS, VECTOR, VECTORS
from gpu_sigmoid.backends.layout import layout_of
from gpu_sigmoid.backends.placed import Placed
from gpu_sigmoid.modes import Mode


class Rows(NamedTuple):
    """How operands and results lie, which is one run of memory where there is one row."""

    kinds: tuple[str, ...]
    """How each operand is read, in `packed`'s words."""
    rows: int
    columns: int
    peeled: int
    """Elements of a row before its first whole vector."""
    rest: int
    """Those, and the elements after its last whole vector."""
    pitches: tuple[int, ...]
    """Of each array, in elements, in the order of a kernel's parameters."""


def rows_of(
    shape: tuple[int, ...], operands: Sequence[Placed | None], results: Sequence[Placed]
) -> Rows | None:
    """Return how arrays lie, None being a number in their place; None if that is not in such rows."""
    places = [place for place in (*operands, *results) if place is not None]
    layout = layout_of(shape, places)
    itemsize = results[0].dtype.itemsize
    if len(layout.extents) > 2:
        return None
    alike, no_step = (itemsize,) * len(places), (0,) * len(places)
    columns, steps = (layout.extents[-1], layout.columns[-1]) if layout.extents else (1, alike)
    rows, pitches = (layout.extents[0], layout.columns[0]) if len(layout.extents) == 2 else (1, no_step)

    kind_of = {itemsize: VECTORS, 0: ELEMENT}
    if not {*steps} <= {*kind_of}:
        return None
    each = iter(steps)
    kinds = tuple(NUMBER if place is None else kind_of[next(each)] for place in operands)
    vectors, elements = ([k for k, step in enumerate(steps) if step == s] for s in (itemsize, 0))
    distance, *others = {places[k].address % VECTOR for k in vectors}
    if others or any(pitches[k] % VECTOR for k in vectors):
        return None
    before = packed.before_a_vector(columns, distance, itemsize)
    rest = before + (columns - before) % (VECTOR // itemsize)
    return Rows(kinds, rows, columns, before, rest, tuple(pitches[k] // itemsize for k in vectors + elements))


class Launch(NamedTuple):
    """A kernel, loaded on the current device, and what it takes beside where arrays lie."""

    linear_launch: Any
    threads: int
    arguments: tuple

    def start(self, arrays: tuple, stream: Any = None) -> None:
        """Launch it on arrays, or addresses: those read as vectors, results, and then the others."""
        self.linear_launch(self.threads, (*arrays, *self.arguments), 0, THREADS, stream)


def prepared(formula: Callable, mode: Mode, dtype: str, layout: Rows) -> Launch | None:
    """Return the launch for arrays that lie so, None if there are too many elements to count."""
    kinds, rows, columns, peeled, rest, pitches = layout
    kernel, elements_a_thread = packed.kernel(formula, mode, dtype, kinds, pitched=True)
    # a thread has one element of the rest beside its vectors
    across = max(-(-(columns - rest) // elements_a_thread), rest)
    threads = rows * across
    if (threads + THREADS) * across > 1 << 64:
        return None
    arguments = (columns, peeled, rows, across, reciprocal_of(across), *pitches)
    return Launch(kernel.kernel.linear_launch, threads, arguments)


def reciprocal_of(across: int) -> np.uint64:
    """Return what tells a kernel the row that one of its threads is in."""
    return np.uint64(((1 << 64) - 1) // across)
