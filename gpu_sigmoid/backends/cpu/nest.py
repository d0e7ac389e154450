"""A kernel over operands of any number of axes: loops around the rows of `loop`.

NumPy's iterator would copy operands with short rows to buffers larger than the first cache, and, if there
are several results, copy one that is in an operand's place to new memory.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic

from gpu_sigmoid.backends.cpu import fp_environment
from gpu_sigmoid.backends.cpu.loop import MOST_OPERANDS, OPERANDS, Span
from gpu_sigmoid.backends.cpu.writer import Value, Writer

RECORD, WHOLE, AXES, ADDRESSES = range(4)
"""The words of a job: the kernel's record, the bytes of all operands and results, the number of axes, then
the addresses of operands and results; then for each axis, outermost first, its length and each one's step
in bytes."""


@intrinsic(prefer_literal=True)
def loops(context: Any, size: Any, job: Any, start: Any, stop: Any) -> Any:
    """Compute a job on elements of `size` bytes (a literal), from `start` to `stop` on the outermost axis."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        c = Writer(builder)
        callers = fp_environment.enter(builder)
        write_loops(c, size.literal_value, *map(c.value, values[1:]))
        fp_environment.leave(builder, callers)
        return context.get_dummy_value()

    return types.void(size, *[types.intp] * 3), emit


def write_loops(c: Writer, size: int, job: Value, start: Value, stop: Value) -> None:
    record, axes = c.word(job, RECORD), c.word(job, AXES)
    operands = c.word(record, OPERANDS)

    def axis(number: Value) -> Value:
        """Return the address of an axis' length, followed by its steps."""
        return job + (operands + ADDRESSES + number * (operands + 1)) * 8

    def length(number: Value) -> Value:
        return c.choose(number == 0, stop - start, c.word(axis(number)))

    # with a single axis there is one row
    columns = axes - 1
    rows = c.most(columns - 1, c.value(0))
    many = c.variable(1)
    with c.count(rows) as number:
        many.set(many.value * length(number))
    places = c.room(8 * MOST_OPERANDS)
    span = Span(c, size, places, axis(columns) + 8, axis(rows) + 8, record)
    with c.count(many.value) as index:
        with c.count(operands) as k:
            c.set_word(places, k, c.word(job, k + ADDRESSES) + start * c.word(axis(c.value(0)), k + 1))
        rest = c.variable(index)
        with c.count(rows) as outward:
            number = rows - 1 - outward
            at = rest.value % length(number)
            rest.set(rest.value // length(number))
            with c.count(operands) as k:
                c.set_word(places, k, c.word(places, k) + at * c.word(axis(number), k + 1))
        height = c.choose(columns == 0, 1, length(rows))
        span.write(height, length(columns), c.word(job, WHOLE))
