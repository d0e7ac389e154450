"""Dask arrays: lazily, block by block, each block on the backend of its own type."""

from operator import getitem
from typing import Any

import dask.array as da
import numpy as np

from gpu_sigmoid.components import method
from gpu_sigmoid.outputs import refuse_out


def run(function: Any, component: str, operands: tuple, out: Any) -> Any:
    """Return Dask arrays, of NumPy or CuPy blocks as the operands' are."""
    refuse_out(function, out, "a Dask array is computed later; use dask.array.store on the result")
    compute = method(function, component)
    # computed on no elements, the metas give type and dtype, and dtypes are refused now, not later
    meta = compute(*(empty(o) for o in operands))
    if component != "value_and_grad":
        return da.core.elemwise(compute, *operands, dtype=meta.dtype)
    # a block of `pairs` is a tuple: computed once, it serves both results
    pairs = da.core.elemwise(compute, *operands, dtype=meta[0].dtype)
    axes = tuple(range(pairs.ndim))
    return tuple(
        da.blockwise(getitem, axes, pairs, axes, index, None, dtype=part.dtype, meta=part)
        for index, part in enumerate(meta)
    )


def empty(operand: Any) -> Any:
    """Return an array like an operand's blocks with no element, or the operand if it is a number."""
    if hasattr(operand, "_meta"):
        return operand._meta.ravel()[:0]
    return operand if np.ndim(operand) == 0 else np.asarray(operand).ravel()[:0]
