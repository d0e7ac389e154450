"""Host arrays: NumPy ufuncs whose loops Numba compiles, when first called.

`intrinsics` are the instructions, `loop` is the loop around a formula's scalar
function, `compile` puts both together, `ufunc` hands the result to NumPy. NumPy then
does what it does for any ufunc: broadcasting, casting, byte order, overlap, subclasses.
"""

from functools import cache
from typing import Any

import numpy as np


@cache
def kernel(formula: Any, component: str, dtype: str) -> np.ufunc:
    from gpu_sigmoid.backends.cpu.compile import compile_ufunc

    return compile_ufunc(formula, component, dtype)


def run(function: Any, component: str, dtype: str, operands: tuple, out: Any) -> Any:
    """Compute on host operands, the result of dtype `dtype`."""
    ufunc = kernel(function.formula, component, dtype)
    if dtype == "bfloat16":
        return run_on_bits(function, ufunc, operands, out)
    if out is None:
        return ufunc(*operands)
    outs = checked_out(function, ufunc, np.dtype(dtype), out)
    return ufunc(*operands, out=outs)


def checked_out(function: Any, ufunc: np.ufunc, dtype: np.dtype, out: Any) -> tuple:
    """Return `out` as a tuple, every array of which can take a result of `dtype`."""
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != ufunc.nout:
        wanted = "one array" if ufunc.nout == 1 else f"a tuple of {ufunc.nout} arrays"
        raise TypeError(f"{function.__name__}: out is to be {wanted}, not {len(outs)}")
    for array in outs:
        if array is None:
            continue
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"{function.__name__}: out is to be a NumPy array, as the input is, not {type(array)}"
            )
        if array.dtype != dtype and array.dtype.newbyteorder() != dtype:
            raise TypeError(f"{function.__name__}: out has dtype {array.dtype}, the result has {dtype}")
        if not array.flags.writeable:
            raise ValueError(f"{function.__name__}: out is read-only")
    return outs


def run_on_bits(function: Any, ufunc: np.ufunc, operands: tuple, out: Any) -> Any:
    """Compute on bfloat16 operands, which the ufunc takes as their bits."""
    arrays = [o if isinstance(o, np.ndarray) else np.asarray(o) for o in operands]
    bfloat16 = next(a.dtype for a in arrays if a.dtype.name == "bfloat16")
    bits = [a.astype(bfloat16, copy=False).view(np.uint16) for a in arrays]
    if out is None:
        results = ufunc(*bits)
        return tuple(r.view(bfloat16) for r in results) if ufunc.nout > 1 else results.view(bfloat16)
    outs = checked_out(function, ufunc, bfloat16, out)
    results = ufunc(*bits, out=tuple(None if o is None else o.view(np.uint16) for o in outs))
    results = results if ufunc.nout > 1 else (results,)
    finals = tuple(r.view(bfloat16) if o is None else o for r, o in zip(results, outs, strict=True))
    return finals if ufunc.nout > 1 else finals[0]
