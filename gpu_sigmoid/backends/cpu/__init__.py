"""Host arrays: NumPy ufuncs whose loops Numba compiles on the first call.

- `compile` makes a formula's scalar function and gives it to `numba.vectorize`, whose target
  `vectorize` builds a kernel around it (`groups`, from `intrinsics`; `multiply_add` replaces an
  instruction that some CPUs lack, `negation` one that LLVM gets wrong on others)
- `loop` calls kernels on operands with any strides, through `copies`, in a `fp_environment` of its own;
  `writer` emits its code, and results that exceed the `caches` bypass them
- `native` compiles this, `undisturbed` by signals and forks, and `disk` caches it
- `lut` makes ufuncs of 16-bit operands that look results up (`lut_intrinsics`)
- `bits` lets a ufunc take bfloat16, `addresses` calls its loop on other libraries' arrays
- `threads` computes on arrays of any layout with `jobs`, the loops of `nest`, and on large ones with the help
  of other threads, which `placement` keeps on different CPUs: those of `spinning` run without Python
  (`shared_blocks`, with the operations of `memory`), and those of `workers` let Python handle signals
- `prepared` are the calls that need few checks, which methods make first

NumPy handles smaller arrays and conversions as for any ufunc: broadcasting, casting, byte order, overlap,
subclasses.
"""

from functools import cache
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.bits import OverBits
from gpu_sigmoid.backends.cpu.prepared import on_arrays, on_numbers
from gpu_sigmoid.backends.cpu.threads import compute, placed
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.backends.outputs import broadcast_shape, checked_out
from gpu_sigmoid.dtypes import result_name
from gpu_sigmoid.environment import get_num_threads
from gpu_sigmoid.modes import Mode, is_tabulable

__all__ = ["kernel", "run"]


@cache
def kernel(formula: Any, mode: Mode, dtype: str) -> np.ufunc:
    """Return the ufunc that computes `mode` of `formula` on arrays of `dtype`."""
    # a wrong environment variable is an error for small arrays too, which do not read it
    get_num_threads()
    return undisturbed(lambda: compiled(formula, mode, dtype))


def compiled(formula: Any, mode: Mode, dtype: str) -> np.ufunc:
    from gpu_sigmoid.backends.cpu import compile, lut

    if is_tabulable(formula, mode, dtype):
        return lut.tabulate(formula, mode, dtype)
    return compile.compile_ufunc(formula, mode, dtype)


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on host operands."""
    # ints as floats, since of one beyond 64 bits NumPy makes an object
    arrays: tuple[Any, ...] = tuple(
        o if hasattr(o, "dtype") else float(o) if isinstance(o, int | float) else np.asarray(o)
        for o in operands
    )
    dtype = result_name(method, arrays)
    ufunc: Any = kernel(method.formula, method.mode, dtype)
    # Casting to the common dtype causes no warning: neither a signalling nan, nor a number out of its
    # range, which becomes infinity or 0.
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        if dtype == "bfloat16":
            arrays = tuple(a if isinstance(a, np.ndarray) else np.asarray(a) for a in arrays)
            storage = next(a.dtype for a in arrays if a.dtype.name == dtype)
            # NumPy's ufuncs cast their operands
            arrays = tuple(a.astype(storage, copy=False) for a in arrays)
            ufunc = OverBits(ufunc, storage)
        else:
            storage = np.dtype(dtype)
        if storage not in method.ready:
            method.ready[storage] = on_arrays(method, storage, ufunc)
            if dtype == "float64" and len(arrays) == 1:
                method.ready[float] = on_numbers(ufunc)
        # NumPy's own error would not name the function
        broadcast_shape(method, arrays)
        outs = checked_out(method, storage, arrays, out, np.ndarray, placed)
        return compute(ufunc, storage, arrays, outs)
