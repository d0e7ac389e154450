"""Host arrays: NumPy ufuncs whose loops Numba compiles, when first called.

- `compile` makes a formula's scalar function and gives it to `numba.vectorize`, whose target
  `vectorize` builds a kernel around it (`groups`, of `intrinsics`; `multiply_add` stands in for an
  instruction that not every CPU has)
- `loop` calls kernels on operands of any steps, by way of `copies`, written by `writer`; results
  that exceed the `caches` pass by them
- `native` compiles that, `undisturbed` by signals and forks, and `disk` keeps it
- `lut` makes ufuncs of 16-bit operands that look results up (`lut_intrinsics`)
- `bits` lets a ufunc take bfloat16, `addresses` calls its loop on other libraries' arrays
- `threads` computes on arrays of any layout by `jobs`, loops of `nest`, and splits large ones over
  `workers`, which `placement` keeps apart; `prepared` goes there without a detour

NumPy does for smaller arrays, and for what is to be converted, what it does for any ufunc: broadcasting,
casting, byte order, overlap, subclasses.
"""

from functools import cache
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.bits import OverBits
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM, compute, placed
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.dtypes import result_name
from gpu_sigmoid.environment import get_num_threads
from gpu_sigmoid.modes import Mode, is_tabulable
from gpu_sigmoid.outputs import checked_out

__all__ = ["SPLIT_FROM", "kernel", "run"]


@cache
def kernel(formula: Any, mode: Mode, dtype: str) -> np.ufunc:
    """Return the ufunc that computes `mode` of `formula` on arrays of `dtype`."""
    # what the environment says of it is wrong for small arrays too, which do not ask
    get_num_threads()
    return undisturbed(lambda: compiled(formula, mode, dtype))


def compiled(formula: Any, mode: Mode, dtype: str) -> np.ufunc:
    from gpu_sigmoid.backends.cpu import compile, lut

    if is_tabulable(formula, mode, dtype):
        return lut.tabulate(formula, mode, dtype)
    return compile.compile_ufunc(formula, mode, dtype)


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on host operands."""
    arrays = tuple(
        o if hasattr(o, "dtype") or isinstance(o, int | float) else np.asarray(o) for o in operands
    )
    dtype = result_name(method, arrays)
    ufunc: Any = kernel(method.formula, method.mode, dtype)
    # What is cast to the common dtype is no reason to warn: a signalling nan, nor a number that the
    # dtype does not hold, which is infinity or 0 in it.
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        if dtype == "bfloat16":
            arrays = tuple(a if isinstance(a, np.ndarray) else np.asarray(a) for a in arrays)
            storage = next(a.dtype for a in arrays if a.dtype.name == dtype)
            # a ufunc of NumPy's casts its operands
            arrays = tuple(a.astype(storage, copy=False) for a in arrays)
            ufunc = OverBits(ufunc, storage)
        else:
            storage = np.dtype(dtype)
        # NumPy's native dtypes are singletons; float stands for a Python number
        method.ready[storage] = ufunc
        if dtype == "float64":
            method.ready[float] = ufunc
        outs = checked_out(method, storage, arrays, out, np.ndarray, placed)
        return compute(ufunc, storage, arrays, outs)
