"""What `out=` may be."""

from typing import Any

import numpy as np


def checked_out(method: Any, dtype: np.dtype, operands: tuple, out: Any, array_type: Any) -> tuple:
    """Return `out` as a tuple of arrays or Nones, each of which can take a result of `dtype`.

    It has the shape that the operands broadcast to: a larger one, over which NumPy would
    repeat the result, is likelier a slip.
    """
    count = len(method.mode.partials)
    if out is None:
        return (None,) * count
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != count:
        wanted = "one array" if count == 1 else f"a tuple of {count} arrays"
        raise TypeError(f"{method.label}: out is to be {wanted}, not {len(outs)}")
    for array in outs:
        if array is None:
            continue
        if not isinstance(array, array_type):
            library = "NumPy" if array_type is np.ndarray else "CuPy"
            raise TypeError(
                f"{method.label}: out is to be a {library} array, as the input is, not {type(array)}"
            )
        if array.dtype != dtype and array.dtype.newbyteorder() != dtype:
            raise TypeError(f"{method.label}: out has dtype {array.dtype}, the result has {dtype}")
        # arrays on a GPU know no read-only ones
        if not getattr(array.flags, "writeable", True):
            raise ValueError(f"{method.label}: out is read-only")
        shape = broadcast_shape(operands)
        if array.shape != shape:
            raise ValueError(f"{method.label}: out has shape {array.shape}, the result has {shape}")
    for i, array in enumerate(outs):
        if array is not None and any(array is other for other in outs[:i]):
            raise ValueError(f"{method.label}: out has one array twice, each result needs its own")
    return outs


def broadcast_shape(operands: tuple) -> tuple[int, ...]:
    """Return the shape that arrays and numbers broadcast to."""
    shapes = dict.fromkeys(shape for o in operands if (shape := getattr(o, "shape", ())))
    # NumPy takes a microsecond and a half where there is nothing to do
    return np.broadcast_shapes(*shapes) if len(shapes) > 1 else next(iter(shapes), ())


def refuse_out(method: Any, out: Any, reason: str) -> None:
    """Raise a TypeError if `out` is given."""
    if out is not None:
        raise TypeError(f"{method.label}: out is not accepted: {reason}")
