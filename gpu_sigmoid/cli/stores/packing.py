"""Whether a Zarr array's numbers are plain numbers, neither packed nor marks of missing values."""

import base64
from pathlib import Path
from typing import Any

import click
import numpy as np

FILLS = ("_FillValue", "missing_value")
PACKED = (*FILLS, "scale_factor", "add_offset", "valid_range", "valid_min", "valid_max", "_Unsigned")
"""The CF attributes, which xarray writes, for packed numbers."""
DIMENSIONS = "_ARRAY_DIMENSIONS"
"""The attribute that marks an array of format 2 as xarray's, whose fill value means missing."""


def check_unpacked(source: Path, array: Any) -> None:
    """Raise if results would be computed from packed or missing numbers.

    NaN is no problem, since the functions of NaN are NaN. A fill value of 0 is the libraries' default, and
    lets them omit chunks of zeros.
    """
    attributes = dict(array.attrs)
    packed = [key for key in PACKED if key in attributes]
    packed = [key for key in packed if key not in FILLS or not is_nan(attributes[key])]
    named = click.format_filename(source)
    if packed:
        raise click.ClickException(
            f"{named}: its attributes ({', '.join(packed)}) say that its numbers are packed or limited: "
            "decode them first, as xarray.open_zarr(IN).drop_encoding().to_zarr(OUT) does"
        )
    fill = array.fill_value
    if fill is None or is_nan(fill) or (fill == 0 and DIMENSIONS not in attributes):
        return
    raise click.ClickException(
        f"{named}: the fill value {fill} may mark missing numbers; accepted are NaN, none, and 0 unless "
        "xarray wrote it: decode the array first, or copy it to one with such a fill value"
    )


def is_nan(value: Any) -> bool:
    """Return whether an attribute is NaN, which xarray writes as the base64 of eight bytes."""
    try:
        if isinstance(value, str) and value != "NaN":
            value = np.frombuffer(base64.b64decode(value, validate=True), "<f8")
        return bool(np.all(np.isnan(np.asarray(value, np.float64))))
    except (TypeError, ValueError):
        return False
