"""What `out=` may be."""

from typing import Any

import numpy as np


def checked_out(function: Any, count: int, dtype: np.dtype, out: Any, array_type: Any) -> tuple:
    """Return `out` as a tuple of `count` arrays or Nones, each of which can take a result of `dtype`."""
    if out is None:
        return (None,) * count
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != count:
        wanted = "one array" if count == 1 else f"a tuple of {count} arrays"
        raise TypeError(f"{function.__name__}: out is to be {wanted}, not {len(outs)}")
    for array in outs:
        if array is None:
            continue
        if not isinstance(array, array_type):
            library = "NumPy" if array_type is np.ndarray else "CuPy"
            raise TypeError(
                f"{function.__name__}: out is to be a {library} array, as the input is, not {type(array)}"
            )
        if array.dtype != dtype and array.dtype.newbyteorder() != dtype:
            raise TypeError(f"{function.__name__}: out has dtype {array.dtype}, the result has {dtype}")
        # arrays on a GPU know no read-only ones
        if not getattr(array.flags, "writeable", True):
            raise ValueError(f"{function.__name__}: out is read-only")
    return outs


def refuse_out(function: Any, out: Any, reason: str) -> None:
    """Raise a TypeError if `out` is given."""
    if out is not None:
        raise TypeError(f"{function.__name__}: out is not accepted: {reason}")
