"""New arrays and views by a backend's library, which is imported already: it made the arrays given here."""

import sys
from typing import Any

import numpy as np

JOINED = {
    "torch": ("torch", "cat"),
    "jax": ("jax.numpy", "concatenate"),
    "dask": ("dask.array", "concatenate"),
}
"""The module and function that join arrays of a backend."""
EMPTY_LIKE = {"cpu": "numpy", "cupy": "cupy", "torch": "torch"}
"""The module whose `empty_like` makes writable arrays of a backend."""


def empty_like(kind: str, array: Any, dtype: Any) -> Any:
    """Return a new writable array like another one of that kind; Numba's may have another dtype."""
    if kind == "numba_cuda" and array.dtype != dtype:
        return sys.modules["numba"].cuda.device_array(array.shape, dtype)
    if kind == "numba_cuda":
        return sys.modules["numba"].cuda.device_array_like(array)
    # like a ufunc's results, it is in no file
    like = np.asarray(array) if isinstance(array, np.memmap) else array
    return sys.modules[EMPTY_LIKE[kind]].empty_like(like)


def joined(kind: str, arrays: list[Any], axis: int) -> Any:
    """Return arrays of that kind in one new array."""
    if is_masked(arrays[0]):
        return np.ma.concatenate(arrays, axis)
    module, name = JOINED[kind] if kind in JOINED else (EMPTY_LIKE[kind], "concatenate")
    return getattr(sys.modules[module], name)(arrays, axis)


def part(kind: str, array: Any, axis: int, start: int, stop: int) -> Any:
    """Return a view of an array of that kind, from `start` to `stop` along an axis."""
    if kind == "numba_cuda" and 0 in array.shape:
        # Numba refuses slices of an array without elements, or gives them other lengths
        shape = (*array.shape[:axis], stop - start, *array.shape[axis + 1 :])
        return sys.modules["numba"].cuda.device_array(shape, array.dtype)
    return array[(*(slice(None),) * axis, slice(start, stop))]


def is_masked(array: Any) -> bool:
    return isinstance(array, np.ma.MaskedArray)
