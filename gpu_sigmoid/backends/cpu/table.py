"""16-bit operands: a table of all 65,536 results.

A look-up takes a load where the formula takes dozens of operations, whatever the
function, and its results are the formula's by construction: they are computed once, by
the formula in float32, and rounded once to 16 bits.
"""

from collections.abc import Callable

import numpy as np

from gpu_sigmoid.backends.cpu.compile import STORAGE, compile_ufunc, native
from gpu_sigmoid.backends.cpu.intrinsics import offset
from gpu_sigmoid.backends.cpu.look_up import look_up
from gpu_sigmoid.backends.cpu.ufunc import make_ufunc

TEMPLATE = """
def loop(args, dimensions, steps, table):
    count = dimensions[0]
    {pointers} = {args}
    {strides} = {steps}
    whole = count - count % 8 if {packed} else 0
    for i in range(0, whole, 8):
        look_up(8, table, offset(source, 2 * i), ({eight},))
    for i in range(whole, count):
        look_up(1, table, offset(source, i * step), ({one},))
"""


def tabulate(formula: Callable, component: str, dtype: str) -> np.ufunc:
    """Return the ufunc that looks results up; an entry of its table holds an input's results."""
    compute = compile_ufunc(formula, component, dtype)
    results = compute(np.arange(1 << 16, dtype=np.uint16).view(STORAGE[dtype]))
    columns = results if compute.nout > 1 else (results,)
    entry = np.dtype(f"uint{16 * compute.nout}")
    table = np.zeros(1 << 16, entry)
    for k, column in enumerate(columns):
        table |= column.view(np.uint16).astype(entry) << entry.type(16 * k)
    scope = {"offset": offset, "look_up": look_up}
    loop = native(lookup_source(compute.nout), scope, f"look_up_{compute.nout}", np.dtype(np.uint16), entry)
    return make_ufunc(
        compute.__name__, compute.__doc__ or "", loop.address, STORAGE[dtype], 1, compute.nout, table
    )


def lookup_source(outputs: int) -> str:
    targets = range(outputs)
    operands = range(outputs + 1)
    return TEMPLATE.format(
        pointers=", ".join(["source", *(f"target{o}" for o in targets)]),
        args=", ".join(f"args[{k}]" for k in operands),
        strides=", ".join(["step", *(f"step{o}" for o in targets)]),
        steps=", ".join(f"steps[{k}]" for k in operands),
        packed=" and ".join(f"steps[{k}] == 2" for k in operands),
        eight=", ".join(f"offset(target{o}, 2 * i)" for o in targets),
        one=", ".join(f"offset(target{o}, i * step{o})" for o in targets),
    )
