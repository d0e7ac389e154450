"""pandas: Series by their own protocol for ufuncs, frames column by column.

The protocol keeps the index and the name, aligns two Series, and keeps missing values of
nullable columns missing.
"""

from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import pandas as pd

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.outputs import broadcast_shape, refuse_out
from gpu_sigmoid.dtypes import ACCEPTED, accepted_name, result_name
from gpu_sigmoid.kinds import name_without_labels

ARROW = {"float16": "halffloat[pyarrow]", "float32": "float[pyarrow]", "float64": "double[pyarrow]"}
"""The pyarrow dtypes of results, by name."""

COLUMNS = (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)
"""The types of pandas with one axis."""


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on Series, indexes and frames."""
    refuse_out(method, out, "pandas objects are new ones; assign the result")
    frames = [o for o in operands if isinstance(o, pd.DataFrame)]
    if frames:
        return by_column(method, operands, frames[0])
    refuse_missing(method, operands)
    refuse_shapes(method, operands)
    if any(isinstance(o, COLUMNS) for o in operands):
        masks = [mask for o in operands if (mask := mask_of(o)) is not None]
        if masks:
            results = run(method, tuple(under_mask(o) for o in operands), None)
            missing = reduce(or_, masks)
            if isinstance(results, tuple):
                return tuple(masked(r, missing) for r in results)
            return masked(results, missing)
    dtype = result_name(method, tuple(plain(o) for o in operands))
    if dtype == "bfloat16":
        raise TypeError(f"{method.label}: pandas stores bfloat16 as objects: convert it to float32")
    ready = [converted(o, dtype) for o in operands]
    # arrays of pyarrow's types only support ufuncs with one result
    one_by_one = any(isinstance(getattr(o, "dtype", None), pd.ArrowDtype) for o in operands)
    modes = method.mode.single_results if one_by_one else (method.mode,)
    # as for NumPy's arrays, values outside the dtype's range cause no warning
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        results = tuple(cpu.kernel(method.formula, mode, dtype)(*ready) for mode in modes)
    return results if len(results) > 1 else results[0]


def converted(operand: Any, dtype: str) -> Any:
    """Return an operand in the result's dtype if missing values would change that.

    Missing values turn bool and integers into objects and float64, whether the column has them or the
    alignment with another index adds them.
    """
    held = getattr(operand, "dtype", None)
    if isinstance(held, pd.ArrowDtype):
        # pyarrow has no conversion of bool to halffloat
        return (operand.astype("int8[pyarrow]") if held.kind == "b" else operand).astype(ARROW[dtype])
    if isinstance(operand, pd.Series) and isinstance(held, np.dtype) and held != dtype:
        return operand.astype(dtype)
    return operand


def plain(operand: Any) -> Any:
    """Return an empty array of the dtype that a nullable column holds, any other operand as it is."""
    held = getattr(getattr(operand, "dtype", None), "numpy_dtype", None)
    # pyarrow's decimals and dates are held as NumPy's objects and times, which users do not know them by
    return operand if accepted_name(held) is None else np.empty(0, held)


def refuse_missing(method: Any, operands: tuple) -> None:
    """Raise a TypeError for pandas.NA beside arrays of which none can hold it."""
    if any(o is pd.NA for o in operands):
        arrays = [o for o in operands if np.ndim(o)]
        if arrays and not any(getattr(getattr(o, "dtype", None), "na_value", None) is pd.NA for o in arrays):
            raise TypeError(
                f"{method.label}: pandas.NA is accepted only with nullable columns, such as those of dtype "
                f"Float64, not with dtype {arrays[0].dtype}: give nan, or convert the column"
            )


def refuse_shapes(method: Any, operands: tuple) -> None:
    """Raise a ValueError for other arrays that do not lie along the Series.

    pandas would return an array without labels, or raise an error that does not name the function.
    """
    others = [o for o in operands if getattr(o, "ndim", 0) and not isinstance(o, pd.Series)]
    if not others:
        return
    indexes = [o.index for o in operands if isinstance(o, pd.Series)]
    if indexes:
        # pandas aligns Series before anything else; an array of that length needs no memory
        length = len(reduce(lambda index, other: index.union(other, sort=False), indexes))
        others.insert(0, np.broadcast_to(0.0, length))
    shape = broadcast_shape(method, tuple(others))
    if len(shape) > 1 or (indexes and shape != others[0].shape):
        shapes = ", ".join(str(o.shape) for o in operands if getattr(o, "ndim", 0))
        raise ValueError(
            f"{method.label}: operands of shapes {shapes}: beside pandas' Series, indexes and arrays no "
            "array may have more than one axis, or be longer than a Series"
        )


def mask_of(operand: Any) -> Any:
    """Return where a masked array, or pandas.NA, is missing; None for other operands.

    A nullable column would take a masked array for its data, and keep it inside.
    """
    if operand is pd.NA:
        return np.True_
    return np.ma.getmaskarray(operand) if isinstance(operand, np.ma.MaskedArray) else None


def under_mask(operand: Any) -> Any:
    """Return an operand with arbitrary numbers for what is missing by `mask_of`."""
    if operand is pd.NA:
        return 1.0
    return np.ma.getdata(operand, subok=False) if isinstance(operand, np.ma.MaskedArray) else operand


def masked(result: Any, missing: Any) -> Any:
    """Return a result with missing elements where a mask, which broadcasts to its shape, is set."""
    missing = np.broadcast_to(missing, result.shape)
    if isinstance(result, pd.Series | pd.Index):
        return result.where(~missing)
    result[missing] = result.dtype.na_value
    return result


def by_column(method: Any, operands: tuple, frame: pd.DataFrame) -> Any:
    """Compute each column in its own dtype; other operands are frames of the same columns, or numbers."""
    for operand in operands:
        if isinstance(operand, pd.DataFrame):
            if not operand.columns.equals(frame.columns):
                raise ValueError(f"{method.label}: the DataFrames must have the same columns")
        elif np.ndim(operand):
            raise TypeError(
                f"{method.label}: with a DataFrame only DataFrames with the same columns and numbers are "
                f"accepted, not {name_without_labels(operand)}: make it a DataFrame"
            )
    for operand in operands:
        for name, dtype in operand.dtypes.items() if isinstance(operand, pd.DataFrame) else ():
            if is_refused(dtype):
                raise TypeError(
                    f"{method.label}: column {name!r} has dtype {dtype}, which is not accepted; accepted are "
                    f"{ACCEPTED}: select the other columns, or convert it"
                )
    columns = [
        method(*(o.iloc[:, i] if isinstance(o, pd.DataFrame) else o for o in operands))
        for i in range(frame.shape[1])
    ]
    count = len(method.mode.partials)
    if count == 1:
        return joined(columns, frame)
    return tuple(joined([results[i] for results in columns], frame) for i in range(count))


def is_refused(dtype: Any) -> bool:
    """Return whether a column is neither of numbers nor of a library's own dtype, which may be accepted."""
    held = getattr(dtype, "numpy_dtype", dtype)
    if isinstance(held, np.dtype):
        return accepted_name(held) is None
    return isinstance(dtype, pd.StringDtype | pd.CategoricalDtype | pd.DatetimeTZDtype)


def joined(columns: list, frame: pd.DataFrame) -> pd.DataFrame:
    if not columns:
        return frame.copy()
    result = pd.concat(columns, axis=1)
    result.columns = frame.columns
    # as pandas' own operations do for subclasses, such as geopandas'
    return frame._constructor(result).__finalize__(frame)
