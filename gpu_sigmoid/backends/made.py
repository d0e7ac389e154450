"""New arrays of a backend's library, which is not imported here: whoever passes its arrays has done so."""

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


def empty_like(kind: str, array: Any) -> Any:
    """Return a new writable array like another one of that kind."""
    # like a ufunc's results, it is in no file
    like = np.asarray(array) if isinstance(array, np.memmap) else array
    return sys.modules[EMPTY_LIKE[kind]].empty_like(like)


def joined(kind: str, arrays: list[Any], axis: int) -> Any:
    """Return arrays of that kind in one new array."""
    if is_masked(arrays[0]):
        return np.ma.concatenate(arrays, axis)
    module, name = JOINED[kind] if kind in JOINED else (EMPTY_LIKE[kind], "concatenate")
    return getattr(sys.modules[module], name)(arrays, axis)


def is_masked(array: Any) -> bool:
    return isinstance(array, np.ma.MaskedArray)
