"""16-bit operands: a table of all 65,536 results.

A look-up takes a load where the formula takes dozens of operations, whatever the
function, and its results are the formula's by construction: they are computed once, by
the formula in float32, and rounded once to 16 bits.
"""

from collections.abc import Callable

import numpy as np

from gpu_sigmoid.backends.cpu import intrinsics
from gpu_sigmoid.backends.cpu.compile import STORAGE, compile_ufunc, native
from gpu_sigmoid.backends.cpu.ufunc import make_ufunc

TEMPLATE = """
def contiguous(count, table, source, {targets}):
    for i in range(count):
        row = {outputs} * source[i]
        {stores}


def strided(count, table, steps, source, {targets}):
    for i in range(count):
        row = {outputs} * offset(source, i * steps[0])[0]
        {moves}


def loop(args, dimensions, steps, table):
    if {packed}:
        contiguous(dimensions[0], table, {operands})
    else:
        strided(dimensions[0], table, steps, {operands})
"""


def tabulate(formula: Callable, component: str, dtype: str) -> np.ufunc:
    """Return the ufunc that looks results up; a row of its table holds an input's results."""
    compute = compile_ufunc(formula, component, dtype)
    results = compute(np.arange(1 << 16, dtype=np.uint16).view(STORAGE[dtype]))
    columns = [r.view(np.uint16) for r in (results if compute.nout > 1 else (results,))]
    table = np.ascontiguousarray(np.stack(columns, axis=1))
    source = lookup_source(compute.nout)
    scope = {"offset": intrinsics.offset, "move": intrinsics.move}
    loop = native(source, scope, f"look_up_{compute.nout}", np.dtype(np.uint16), table=True)
    return make_ufunc(
        compute.__name__, compute.__doc__ or "", loop.address, STORAGE[dtype], 1, compute.nout, table
    )


def lookup_source(outputs: int) -> str:
    targets = [f"target{o}" for o in range(outputs)]
    return TEMPLATE.format(
        outputs=outputs,
        targets=", ".join(targets),
        stores="; ".join(f"{name}[i] = table[row + {o}]" for o, name in enumerate(targets)),
        moves="; ".join(
            f"move({name}, i * steps[{o + 1}], table, 2 * (row + {o}))" for o, name in enumerate(targets)
        ),
        packed=" and ".join(f"steps[{k}] == 2" for k in range(outputs + 1)),
        operands=", ".join(f"args[{k}]" for k in range(outputs + 1)),
    )
