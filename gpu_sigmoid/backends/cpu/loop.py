"""A ufunc's inner loop over operands with any strides, the same for all kernels of an element size.

A kernel (`groups`) needs contiguous elements. A contiguous operand is therefore used where it is, in
place too. A single number for all elements is repeated once for a whole group. Any other operand is
copied through a tile on the stack, which stays in the first cache. Results that do not fit into the
last cache together with the operands bypass the caches, which saves reading the memory that they
overwrite.
"""

from functools import partial
from typing import Any

from numba import types
from numba.extending import intrinsic

from gpu_sigmoid.backends.cpu import fp_environment
from gpu_sigmoid.backends.cpu.copies import VECTOR, write_gather, write_scatter
from gpu_sigmoid.backends.cpu.groups import group_size
from gpu_sigmoid.backends.cpu.intrinsics import finish_streaming
from gpu_sigmoid.backends.cpu.writer import Value, Writer

TILE = 4096
"""Bytes."""

LONG_ROW = 1 << 17
"""Bytes in a row from which its results bypass the caches: it begins and ends with a line that does not."""

MOST_OPERANDS = 8

CODE, INPUTS, OPERANDS, TABLE, STREAMED_FROM = range(5)
"""The words of a kernel's record: the addresses of its code and of its table, the number of operands
without and with the results, and the number of bytes in a call from which results bypass the caches."""

APART = -1
"""In the place of a step, that an operand has to be copied."""


@intrinsic(prefer_literal=True)
def inner_loop(context: Any, size: Any, args: Any, dimensions: Any, steps: Any, record: Any) -> Any:
    """Compute with the arguments of NumPy's ufunc loops, on elements of `size` bytes (a literal)."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        itemsize = size.literal_value
        c = Writer(builder)
        args, dimensions, steps, record = map(c.value, values[1:])
        callers = fp_environment.enter(builder)
        count, operands = c.word(dimensions), c.word(record, OPERANDS)
        whole = count * operands * itemsize
        apart = c.variable(0)
        with c.count(operands) as k:
            apart.set(apart.value | (c.word(steps, k) - itemsize))
        beside = (apart.value == 0) & (whole < c.word(record, STREAMED_FROM))
        with c.either(beside) as (at_once, otherwise):
            with at_once:
                c.call(c.word(record, CODE), 1, count, 0, args, steps, steps, c.word(record, TABLE))
            with otherwise:
                Span(c, itemsize, args, steps, steps, record).write(c.value(1), count, whole)
        fp_environment.leave(builder, callers)
        return context.get_dummy_value()

    return types.void(size, *[types.intp] * 4), emit


class Span:
    """Rows of several operands: addresses, and steps in bytes within a row and between rows."""

    def __init__(
        self, c: Writer, size: int, args: Value, steps: Value, pitches: Value, record: Value
    ) -> None:
        self.c, self.size = c, size
        self.args, self.steps, self.pitches, self.record = args, steps, pitches, record
        self.inputs, self.operands = c.word(record, INPUTS), c.word(record, OPERANDS)
        self.tiles = c.room(MOST_OPERANDS * TILE)
        # for each operand: where the kernel finds it, its step there, and its own step or APART
        self.places, self.moves, self.kinds = (c.room(8 * MOST_OPERANDS) for _ in range(3))

    def write(self, rows: Value, cols: Value, whole: Value) -> None:
        """Emit the code that computes them, in a call with `whole` bytes in all."""
        c, size = self.c, self.size
        rows, cols = self.as_one_row(rows, cols)
        group, in_tile = c.value(group_size(size)), c.value(TILE // size)
        # rows shorter than a group share a tile
        short = (cols < group) & (rows != 1)
        together = c.choose(short, c.least(rows, in_tile // c.most(cols, c.value(1))), 1)
        constant_pitches, copied, results_copied = self.classify(cols, short)
        streaming = self.streaming(rows, cols, whole, results_copied | short)
        at_once = constant_pitches & ((copied | short | streaming) == 0)
        height = c.choose(at_once, rows, together)
        most = c.choose(copied & (short == 0), in_tile, cols)
        row, start = c.variable(0), c.variable(0)
        with c.repeat(lambda: row.value < rows):
            high = c.least(height, rows - row.value)
            unaligned = -self.place(self.inputs, row.value, c.value(0)) & (VECTOR - 1)
            head = c.choose(streaming, unaligned // size, 0)
            start.set(0)
            with c.repeat(lambda: start.value < cols):
                # a group up to the first aligned vector of the result, which is then computed once more
                is_head = start.value < head
                wide = c.choose(is_head, group, c.least(most, cols - start.value))
                self.compute(row.value, start.value, high, wide, streaming & (head <= start.value), short)
                with c.when(results_copied):
                    self.copy_results(row.value, start.value, high, wide)
                start.set(c.choose(is_head, head, start.value + wide))
            row.set(row.value + high)
        with c.when(streaming):
            finish_streaming(c.builder)

    def as_one_row(self, rows: Value, cols: Value) -> tuple[Value, Value]:
        """Return the numbers of rows and columns, a single row if possible."""
        c = self.c
        joined = c.variable(c.truth(True))
        with c.count(self.operands) as k:
            joined.set(joined.value & (c.word(self.pitches, k) == cols * c.word(self.steps, k)))
        one = (rows == 1) | joined.value
        return c.choose(one, 1, rows), c.choose(one, rows * cols, cols)

    def classify(self, cols: Value, short: Value) -> tuple[Value, Value, Value]:
        """Decide which operands are used where they are, by their steps.

        Return whether operands that are one number in a row are the same for all rows, whether any operand
        is copied, and whether a result is.
        """
        c, inputs = self.c, self.inputs
        constant, copied, results_copied = (c.variable(c.truth(value)) for value in (True, False, False))
        with c.count(self.operands) as k:
            step, pitch = c.word(self.steps, k), c.word(self.pitches, k)
            lies = (step == self.size) | ((step == 0) & (k < inputs))
            lies &= (short == 0) | (pitch == cols * step)
            c.set_word(self.kinds, k, c.choose(lies, step, APART))
            c.set_word(self.moves, k, c.choose(lies & (step == 0), 0, self.size))
            constant.set(constant.value & ((step != 0) | (pitch == 0)))
            copied.set(copied.value | (lies == 0))
            results_copied.set(results_copied.value | ((lies == 0) & (inputs <= k)))
        return constant.value, copied.value, results_copied.value

    def streaming(self, rows: Value, cols: Value, whole: Value, unfit: Value) -> Value:
        """Return whether results bypass the caches: large, equally aligned, not overlapping operands."""
        c, inputs = self.c, self.inputs
        large = c.word(self.record, STREAMED_FROM) <= whole
        long = c.value(LONG_ROW // self.size) <= cols
        alone = (rows == 1) & (c.value(group_size(self.size)) <= cols)
        clear = c.variable(large & (unfit == 0) & (long | alone))
        with c.when(clear.value), c.count(self.operands, inputs) as k:
            result = c.word(self.args, k)
            for places in (self.args, self.pitches):
                shift = c.word(places, k) - c.word(places, inputs)
                clear.set(clear.value & ((shift & (VECTOR - 1)) == 0))
            with c.count(inputs) as i:
                distance = c.absolute(result - c.word(self.args, i))
                reach = c.most(self.extent(i, rows, cols), self.extent(k, rows, cols))
                clear.set(clear.value & (reach <= distance))
        return clear.value

    def extent(self, k: Value, rows: Value, cols: Value) -> Value:
        """Return the farthest distance of an operand's bytes from its address."""
        step, pitch = self.c.word(self.steps, k), self.c.word(self.pitches, k)
        return self.c.absolute(pitch) * rows + self.c.absolute(step) * cols + self.size

    def place(self, k: Value, row: Value, start: Value) -> Value:
        c = self.c
        return c.word(self.args, k) + row * c.word(self.pitches, k) + start * c.word(self.steps, k)

    def compute(
        self, row: Value, start: Value, rows: Value, cols: Value, streamed: Value, joined: Value
    ) -> None:
        """Compute rows and columns of the operands, in place or in tiles, where rows may be `joined`."""
        c, group = self.c, group_size(self.size)
        with c.count(self.operands) as k:
            kind, tile, place = c.word(self.kinds, k), self.tile(k), self.place(k, row, start)
            c.set_word(self.places, k, c.choose(kind == self.size, place, tile))
            with c.when((kind != self.size) & (k < self.inputs)):
                number = kind == 0
                self.copy(
                    "gather", write_gather, k, c.choose(number, 1, rows), c.choose(number, group, cols), place
                )
        height, width = c.choose(joined, 1, rows), c.choose(joined, rows * cols, cols)
        function, table = c.word(self.record, CODE), c.word(self.record, TABLE)
        past = c.choose(streamed, width, 0)
        c.call(function, height, width, past, self.places, self.pitches, self.moves, table)

    def copy_results(self, row: Value, start: Value, height: Value, width: Value) -> None:
        c = self.c
        with c.count(self.operands, self.inputs) as k, c.when(c.word(self.kinds, k) == APART):
            self.copy("scatter", write_scatter, k, height, width, self.place(k, row, start))

    def copy(self, name: str, write: Any, k: Value, rows: Value, cols: Value, place: Value) -> None:
        pitch, step = self.c.word(self.pitches, k), self.c.word(self.steps, k)
        self.c.function(name, partial(write, size=self.size), rows, cols, self.tile(k), place, pitch, step)

    def tile(self, k: Value) -> Value:
        return self.tiles + k * TILE
