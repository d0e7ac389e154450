"""Copies strided rows of elements to contiguous tiles, and back."""

from typing import Any

from gpu_sigmoid.backends.cpu.intrinsics import describe_loop, one_by_one
from gpu_sigmoid.backends.cpu.writer import Value, Writer

VECTOR = 64
"""In bytes; LLVM splits a vector if the CPU's are shorter."""

SHORT_VECTOR = 16
"""For short rows."""


def write_gather(
    c: Writer, rows: Value, cols: Value, tile: Value, place: Value, pitch: Value, step: Value, size: int
) -> None:
    """Copy rows, `pitch` bytes apart, of elements of `size` bytes, `step` bytes apart, to a tile.

    Steps of 1, -1, 2 and 0 elements are copied with vectors. Left to itself, LLVM would use gather
    instructions, which on many CPUs are slower than single loads.
    """
    with c.count(rows) as row:
        source, target = place + row * pitch, tile + row * cols * size
        done = c.variable(0)
        for apart, width in ((1, VECTOR), (1, SHORT_VECTOR), (-1, VECTOR), (2, VECTOR), (0, VECTOR)):
            lanes = width // size
            # with every other element, a vector would end beyond the last one
            stop = cols - int(apart == 2)
            with c.when((step == apart * size) & (done.value == 0) & (stop >= lanes)):
                with c.vectors(stop, lanes) as i:
                    c.store(target, i * size, gathered(c, source, i, apart, size, lanes))
                done.set(stop)
        with c.count(cols, done.value) as i:
            c.store(target, i * size, c.load(source, i * step, size))
            describe_loop(c.builder, *one_by_one())


def gathered(c: Writer, source: Value, first: Value, apart: int, size: int, lanes: int) -> Any:
    """Return a vector of elements 1, -1, 2 or 0 elements apart, starting with the `first`."""
    if apart == 0:
        return c.splat(c.load(source, 0, size), lanes)
    at = first * (apart * size)
    if apart == -1:
        return c.reversed(c.load(source, at - (lanes - 1) * size, size, lanes))
    vector = c.load(source, at, size, lanes)
    if apart == 1:
        return vector
    return c.shuffled(vector, c.load(source, at + lanes * size, size, lanes), range(0, 2 * lanes, 2))


def write_scatter(
    c: Writer, rows: Value, cols: Value, tile: Value, place: Value, pitch: Value, step: Value, size: int
) -> None:
    """Copy a tile to rows, `pitch` bytes apart, of elements `step` bytes apart; leave the gaps unwritten."""
    with c.count(rows) as row:
        source, target = tile + row * cols * size, place + row * pitch
        done = c.variable(0)
        for apart, width in ((1, VECTOR), (1, SHORT_VECTOR), (-1, VECTOR)):
            lanes = width // size
            with c.when((step == apart * size) & (done.value == 0) & (cols >= lanes)):
                with c.vectors(cols, lanes) as i:
                    vector = c.load(source, i * size, size, lanes)
                    if apart == 1:
                        c.store(target, i * size, vector)
                    else:
                        c.store(target, i * -size - (lanes - 1) * size, c.reversed(vector))
                done.set(cols)
        with c.when(step == 2 * size):
            # with a constant step, addresses do not depend on each other through additions
            with c.count(cols) as i:
                c.store(target, i * (2 * size), c.load(source, i * size, size))
                describe_loop(c.builder, *one_by_one())
            done.set(cols)
        with c.count(cols, done.value) as i:
            c.store(target, i * step, c.load(source, i * size, size))
            describe_loop(c.builder, *one_by_one())
