"""xarray: labelled arrays and data sets, computed on the arrays they hold."""

from typing import Any

import xarray as xr

from gpu_sigmoid.backends.outputs import refuse_out


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on DataArrays, Datasets and Variables; coordinates are kept, and aligned as in arithmetic."""
    refuse_out(method, out, "xarray objects are new ones; assign the result")
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
