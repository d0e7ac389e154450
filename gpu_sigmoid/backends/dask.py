"""Dask arrays: lazily, block by block, each block on the backend of its own type."""

from operator import getitem
from typing import Any

import dask.array as da
import numpy as np

from gpu_sigmoid.outputs import refuse_out


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Return Dask arrays, of NumPy or CuPy blocks as the operands' are."""
    refuse_out(method, out, "a Dask array is computed later; use dask.array.store on the result")
    # computed on no elements, the metas give type and dtype, and dtypes are refused now, not later
    meta = method(*(empty(o) for o in operands))
    if not isinstance(meta, tuple):
        return da.core.elemwise(method, *operands, dtype=meta.dtype)
    # a block of `together` is a tuple: computed once, it serves all results
    together = da.core.elemwise(method, *operands, dtype=meta[0].dtype)
    axes = tuple(range(together.ndim))
    return tuple(
        da.blockwise(getitem, axes, together, axes, index, None, dtype=part.dtype, meta=part)
        for index, part in enumerate(meta)
    )


def empty(operand: Any) -> Any:
    """Return an array like an operand's blocks with no element, or the operand if it is a number."""
    if hasattr(operand, "_meta"):
        return operand._meta.ravel()[:0]
    return operand if np.ndim(operand) == 0 else np.asarray(operand).ravel()[:0]
