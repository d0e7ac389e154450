"""xarray: labelled arrays and data sets, computed on the arrays they hold."""

from typing import Any

import numpy as np
import xarray as xr

from gpu_sigmoid.backends.outputs import refuse_out
from gpu_sigmoid.dtypes import ACCEPTED, accepted_name

NAMED = (xr.Dataset, xr.DataArray, xr.Variable)
"""The types with names of dimensions."""


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on DataArrays, Datasets and Variables; coordinates are kept, and aligned as in arithmetic."""
    refuse_out(method, out, "xarray objects are new ones; assign the result")
    refuse_dtypes(method, operands)
    refuse_axes(method, operands)
    options = xr.get_options()
    keep = options["keep_attrs"]
    return xr.apply_ufunc(
        method,
        *operands,
        output_core_dims=[[]] * len(method.mode.partials),
        join=options["arithmetic_join"],
        dataset_join=options["arithmetic_join"],
        keep_attrs=True if keep == "default" else keep,
        dask="allowed",
    )


def refuse_dtypes(method: Any, operands: tuple) -> None:
    """Raise a TypeError that names the variable of a Dataset that does not hold numbers."""
    for operand in operands:
        for name, variable in operand.data_vars.items() if isinstance(operand, xr.Dataset) else ():
            dtype = variable.dtype
            # other libraries' own dtypes, and those of JAX that NumPy does not know (V), may be accepted
            if isinstance(dtype, np.dtype) and dtype.kind != "V" and accepted_name(dtype) is None:
                raise TypeError(
                    f"{method.label}: variable {name!r} has dtype {dtype}, which is not accepted; accepted "
                    f"are {ACCEPTED}: select the other variables, or convert it"
                )


def refuse_axes(method: Any, operands: tuple) -> None:
    """Raise a ValueError for an array with more axes than there are names of dimensions for."""
    arrays = [o for o in operands if getattr(o, "ndim", 0) and not isinstance(o, NAMED)]
    named = [o for o in operands if isinstance(o, NAMED)]
    # of groups xarray gives the members to the method, in calls of their own
    if not arrays or not named:
        return
    most = max(arrays, key=lambda array: array.ndim)
    sets = [o for o in named if isinstance(o, xr.Dataset)]
    # each variable of a Dataset is computed with all other operands
    for name in dict.fromkeys(name for o in sets for name in o.data_vars) if sets else (None,):
        parts = [o.get(name, xr.Variable((), 0)) if isinstance(o, xr.Dataset) else o for o in named]
        dimensions = tuple(dict.fromkeys(dim for part in parts for dim in part.dims))
        if most.ndim > len(dimensions):
            what = f"variable {name!r} has" if sets else "the other operands have"
            raise ValueError(
                f"{method.label}: an array of shape {most.shape} has more axes than {what} dimensions, which "
                f"are {dimensions}: name its axes, as xarray.DataArray(array, dims=...) does"
            )
