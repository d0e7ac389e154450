"""What `out=` may be."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from gpu_sigmoid.backends.placed import Placed, overlapping, repeats

LIBRARIES = {"numpy": "NumPy", "cupy": "CuPy", "numba": "Numba device"}


def checked_out(
    method: Any, dtype: np.dtype, operands: tuple, out: Any, array_type: Any, placed: Callable[[Any], Placed]
) -> tuple:
    """Return `out` as a tuple of arrays or Nones, each of which can take a result of `dtype`.

    They must have the shape that the operands broadcast to. NumPy would repeat the result over a larger
    one, which is more likely a mistake.
    """
    outs = counted_out(method, out)
    if out is None:
        return outs
    given = [array for array in outs if array is not None]
    shape = broadcast_shape(method, operands)
    for array in given:
        if not isinstance(array, array_type):
            library = LIBRARIES[array_type.__module__.partition(".")[0]]
            raise TypeError(
                f"{method.label}: out must be a {library} array, as the input is, not {type(array)}"
            )
        if array.dtype != dtype and array.dtype.newbyteorder() != dtype:
            raise TypeError(f"{method.label}: out has dtype {array.dtype}, the result has {dtype}")
        # arrays on a GPU have no read-only flag
        if not getattr(array.flags, "writeable", True):
            raise ValueError(f"{method.label}: out is read-only; a writable array is needed")
        if array.shape != shape:
            raise ValueError(f"{method.label}: out has shape {array.shape}, the result has {shape}")
    if array_type is not np.ndarray and any(repeats(placed(array)) for array in given):
        raise ValueError(f"{method.label}: elements of out share memory, but each result needs its own")
    if len(given) > 1:
        refuse_shared_memory(method, [placed(array) for array in given])
    return outs


def counted_out(method: Any, out: Any) -> tuple:
    """Return `out` as a tuple with an array or None for each result."""
    count = len(method.mode.partials)
    if out is None:
        return (None,) * count
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != count:
        wanted = "one array" if count == 1 else f"a tuple of {count} arrays"
        raise TypeError(f"{method.label}: out must be {wanted}, not {len(outs)}")
    return outs


def refuse_shared_memory(method: Any, places: list[Placed]) -> None:
    """Raise a ValueError if two results would overwrite each other."""
    for i, place in enumerate(places):
        if any(overlapping(place, other) for other in places[:i]):
            raise ValueError(f"{method.label}: the arrays of out share memory, but each result needs its own")


def broadcast_shape(method: Any, operands: tuple) -> tuple[int, ...]:
    """Return the shape that arrays and numbers broadcast to."""
    shapes = dict.fromkeys(shape for o in operands if (shape := getattr(o, "shape", ())))
    # NumPy takes a microsecond and a half even if there is nothing to do
    if len(shapes) < 2:
        return next(iter(shapes), ())
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(shape_mismatch(method, shapes)) from None


def shape_mismatch(method: Any, shapes: Iterable[tuple[int, ...]]) -> str:
    """Return the message for shapes that do not broadcast."""
    return (
        f"{method.label}: operands of shapes {', '.join(map(str, shapes))} do not broadcast together: from "
        "the last axis on, lengths must be equal or 1"
    )


def refuse_out(method: Any, out: Any, reason: str) -> None:
    """Raise a TypeError if `out` is given."""
    if out is not None:
        raise TypeError(f"{method.label}: out is not accepted: {reason}")
