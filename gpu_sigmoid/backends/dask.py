"""Dask arrays, Series and frames: lazily, block by block, each block on the backend of its own type."""

from itertools import zip_longest
from math import isnan
from operator import getitem
from typing import Any

import dask.array as da
import numpy as np
from dask.base import is_dask_collection

from gpu_sigmoid.backends.outputs import refuse_out, shape_mismatch
from gpu_sigmoid.kinds import name_without_labels


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Return Dask arrays, with NumPy or CuPy blocks like the operands', or Series and frames."""
    refuse_out(method, out, "what Dask holds is computed later; use dask.array.store on the result")
    refuse_others(method, operands)
    if any(map(is_labelled, operands)):
        return by_partition(method, operands)
    refuse_shapes(method, operands)
    # computing on the empty metas gives type and dtype, and refuses wrong dtypes now, not later
    meta = method(*(empty(o) for o in operands))
    if not isinstance(meta, tuple):
        return da.core.elemwise(method, *operands, dtype=meta.dtype)
    # a block of `together` is a tuple, computed once for all results
    together = da.core.elemwise(method, *operands, dtype=meta[0].dtype)
    axes = tuple(range(together.ndim))
    return tuple(
        da.blockwise(getitem, axes, together, axes, index, None, dtype=part.dtype, meta=part)
        for index, part in enumerate(meta)
    )


def empty(operand: Any) -> Any:
    """Return an empty array like an operand's blocks, or the operand itself if it is a number."""
    if hasattr(operand, "_meta"):
        return operand._meta.reshape(-1)[:0]
    return operand if np.ndim(operand) == 0 else np.asarray(operand).ravel()[:0]


def refuse_others(method: Any, operands: tuple) -> None:
    """Raise an error for a bag, a delayed value or a group, whose elements are not arrays'."""
    for operand in operands:
        of = type(operand)
        if of.__module__.startswith("dask.") and not is_array(operand) and not is_labelled(operand):
            raise TypeError(
                f"{method.label}: Dask's arrays, Series and DataFrames are accepted, not {of.__name__}: pass "
                f"the function to Dask, for instance bag.map(gs.{method.label})"
            )


def refuse_shapes(method: Any, operands: tuple) -> None:
    """Raise a ValueError that names the function, as Dask's does not, if shapes do not broadcast."""
    shapes = list(dict.fromkeys(getattr(o, "shape", ()) for o in operands))
    for lengths in zip_longest(*map(reversed, shapes), fillvalue=1):
        # Dask takes all unknown lengths for equal, and different from any other but 1
        different = {None if isnan(length) else length for length in lengths} - {1}
        if len(different) > 1:
            hint = "; nan is a length that array.compute_chunk_sizes() computes" if None in different else ""
            raise ValueError(shape_mismatch(method, shapes) + hint)


def is_array(operand: Any) -> bool:
    return isinstance(operand, da.Array)


def is_labelled(operand: Any) -> bool:
    return type(operand).__module__.startswith("dask.dataframe") and is_dask_collection(operand)


def by_partition(method: Any, operands: tuple) -> Any:
    """Return Series or frames, whose partitions are pandas', aligned as in Dask's arithmetic."""
    from dask.dataframe.dask_expr import elemwise

    for operand in operands:
        # Dask cannot hold the constant numpy.ma.masked, which has no axes, in a graph of frames
        if not is_labelled(operand) and (np.ndim(operand) or operand is np.ma.masked):
            raise TypeError(
                f"{method.label}: with Dask Series and DataFrames only those and numbers are accepted, not "
                f"{name_without_labels(operand)}, which has no labels"
            )
    if not any(o.ndim for o in operands if is_labelled(o)):
        raise TypeError(
            f"{method.label}: a Dask Scalar is accepted only with Series and DataFrames: compute() it"
        )
    # a partition with several results would be a tuple, which a graph of frames cannot hold
    modes = method.mode.single_results
    singles = [method.function.method_of(mode.partials[0], mode.weighted) for mode in modes]
    # computing on frames without rows refuses wrong dtypes now, not later
    metas = [single(*(getattr(o, "_meta", o) for o in operands)) for single in singles]
    results = tuple(elemwise(s, *operands, meta=m) for s, m in zip(singles, metas, strict=True))
    return results if len(results) > 1 else results[0]
