"""polars: Series, whose memory NumPy reads without a copy; missing values stay missing."""

from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import polars as pl

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.outputs import broadcast_shape, refuse_out
from gpu_sigmoid.dtypes import refusal, result_name


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on Series of the same length, NumPy arrays and numbers."""
    refuse_out(method, out, "polars makes new Series; use the result")
    hosts = tuple(on_host(method, o) for o in operands)
    if result_name(method, hosts) == "bfloat16":
        raise TypeError(f"{method.label}: polars has no bfloat16: convert it to float32")
    series = [o for o in operands if isinstance(o, pl.Series)]
    shape = broadcast_shape(method, hosts)
    if any(s.shape != shape for s in series):
        raise ValueError(
            f"{method.label}: Series must have the same length, and no other array may be larger"
        )
    results = cpu.run(method, hosts, None)
    missing = reduce(or_, (s.is_null() for s in series))
    count, name = len(method.mode.partials), series[0].name
    found = tuple(pl.Series(name, r).set(missing, None) for r in (results if count > 1 else (results,)))
    return found if count > 1 else found[0]


def on_host(method: Any, operand: Any) -> Any:
    """Return a Series as a NumPy array, with arbitrary numbers for missing values; others as they are."""
    if isinstance(operand, np.ndarray | np.generic | int | float):
        return operand
    if isinstance(operand, pl.Expr):
        # a root is a column that the expression reads
        names = operand.meta.root_names()
        column = f"polars.col({names[0]!r})" if len(names) == 1 else "expression"
        raise TypeError(
            f"{method.label}: only Series are accepted, not Expr: pass the function to the expression: "
            f"{column}.map_batches(gs.{method.label})"
        )
    if not isinstance(operand, pl.Series):
        raise TypeError(
            f"{method.label}: only Series are accepted, not {type(operand).__name__}: pass its columns, "
            f"or use an expression: polars.all().map_batches(gs.{method.label})"
        )
    series = operand
    if operand.dtype == pl.Boolean:
        # bool is stored packed; int8 is promoted in the same way
        series = operand.cast(pl.Int8)
    elif str(operand.dtype).lower() not in np.sctypeDict:
        if not operand.dtype.is_integer():
            raise refusal(method, operand.dtype)
        # integers of 128 bits, which NumPy does not have, are computed in float64 as all others are
        series = operand.cast(pl.Float64)
    return (series.fill_null(0) if series.has_nulls() else series).to_numpy()
