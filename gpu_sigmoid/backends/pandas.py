"""pandas: Series by their own protocol for ufuncs, frames column by column.

The protocol keeps the index and the name, aligns two Series, and keeps missing values of
nullable columns missing.
"""

from typing import Any

import numpy as np
import pandas as pd

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.outputs import refuse_out
from gpu_sigmoid.dtypes import ACCEPTED, accepted_name, result_name

ARROW = {"float16": "halffloat[pyarrow]", "float32": "float[pyarrow]", "float64": "double[pyarrow]"}
"""The pyarrow dtypes of results, by name."""

HELD = (pd.Series, pd.Index, pd.DataFrame, pd.api.extensions.ExtensionArray, type(pd.NA))
"""The types of pandas that hold elements, and that of a missing one."""


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on Series, indexes and frames."""
    refuse_out(method, out, "pandas objects are new ones; assign the result")
    for of in map(type, operands):
        if of.__module__.partition(".")[0] == "pandas" and not issubclass(of, HELD):
            raise TypeError(
                f"{method.label}: Series, indexes, DataFrames and their arrays are accepted, "
                f"not {of.__name__}"
            )
    frames = [o for o in operands if isinstance(o, pd.DataFrame)]
    if frames:
        return by_column(method, operands, frames[0])
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
    """Return an empty array of an operand's dtype; for a nullable column, of the dtype that it holds."""
    dtype = getattr(operand, "dtype", None)
    if dtype is None:
        return operand
    return np.empty(0, getattr(dtype, "numpy_dtype", dtype)) if is_numeric(dtype) else operand


def is_numeric(dtype: Any) -> bool:
    return isinstance(getattr(dtype, "numpy_dtype", dtype), np.dtype)


def by_column(method: Any, operands: tuple, frame: pd.DataFrame) -> Any:
    """Compute each column in its own dtype; other operands are frames of the same columns, or numbers."""
    for operand in operands:
        if isinstance(operand, pd.DataFrame):
            if not operand.columns.equals(frame.columns):
                raise ValueError(f"{method.label}: the DataFrames must have the same columns")
        elif np.ndim(operand):
            raise TypeError(
                f"{method.label}: with a DataFrame only DataFrames with the same columns and numbers are "
                f"accepted, not {type(operand).__name__}: make it a DataFrame"
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
