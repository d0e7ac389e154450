"""16-bit operands: a table of all 65,536 results.

A look-up takes a load where the formula takes dozens of operations, whatever the
function, and its results are the formula's by construction: they are computed once, by
the formula in float32, and rounded once to 16 bits.
"""

from collections.abc import Callable

import numpy as np
from numba.np.numpy_support import as_dtype

from gpu_sigmoid.backends.cpu.compile import compile_ufunc
from gpu_sigmoid.backends.cpu.groups import AHEAD
from gpu_sigmoid.backends.cpu.intrinsics import offset, prefetch
from gpu_sigmoid.backends.cpu.lut_intrinsics import look_up
from gpu_sigmoid.backends.cpu.native import compiled_kernel
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, ufunc
from gpu_sigmoid.modes import Mode

WORK_OF_LOOK_UP = 70
"""In the unit of `addresses.WORK`: 0.14 ns on a Zen 5, 0.25 ns on a Xeon."""

TEMPLATE = """
def kernel(rows, cols, streamed, addresses, pitches, moves, table):
    move, whole = moves[0], cols - cols % 8
    # within a row a CPU finds out by itself what comes next
    below = 1
    while 2 * below * cols < {ahead} and below < rows:
        below += 1
    fetched = min(2 * cols, 4 * {ahead})
    for row in range(rows):
        {pointers} = {addresses}
        if row + below < rows:
            for start in range(0, fetched, 64):
                prefetch(offset(source, below * pitches[0] + start), 64, True)
        for i in range(0, whole, 8):
            look_up(8, table, offset(source, i * move), ({targets},))
        for i in range(whole, cols):
            look_up(1, table, offset(source, i * move), ({targets},))
"""


def tabulate(formula: Callable, mode: Mode, dtype: str) -> np.ufunc:
    """Return the ufunc that looks results up; an entry of its table has all results for an input."""
    compute = compile_ufunc(formula, mode, dtype)
    storage = as_dtype(ELEMENT[dtype])
    results = compute(np.arange(1 << 16, dtype=np.uint16).view(storage))
    columns = results if compute.nout > 1 else (results,)
    entry = np.dtype(f"uint{16 * compute.nout}")
    table = np.zeros(1 << 16, entry)
    for k, column in enumerate(columns):
        table |= column.view(np.uint16).astype(entry) << entry.type(16 * k)
    scope = {"offset": offset, "look_up": look_up, "prefetch": prefetch}
    source, name = lookup_source(compute.nout), f"look_up_{compute.nout}"
    kernel = compiled_kernel(source, scope, name, np.dtype(np.uint16), entry)
    return ufunc(compute.__name__, kernel, storage, 1, compute.nout, WORK_OF_LOOK_UP, table)


def lookup_source(outputs: int) -> str:
    targets = range(outputs)
    return TEMPLATE.format(
        ahead=AHEAD,
        pointers=", ".join(["source", *(f"target{o}" for o in targets)]),
        addresses=", ".join(f"offset(addresses[{k}], row * pitches[{k}])" for k in range(outputs + 1)),
        targets=", ".join(f"offset(target{o}, 2 * i)" for o in targets),
    )
