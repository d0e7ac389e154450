"""The table in which native handlers find kernels, by a key in the program.

A program (in XLA's cache, or in a file of `jax.export`) outlives the process that made it. So it contains
no address but a key that is the same in every process: a hash of the names of the method and the dtype.
"""

import hashlib
from functools import cache
from threading import Lock
from typing import Any

import numpy as np

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.addresses import LOOPS
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.registry import FUNCTIONS

CAPACITY = 4096
KEY, CODE, DETAIL, ITEM_SIZE, ENTRY = 0, 8, 16, 24, 32
"""Byte offsets in an entry, and its size. An entry without a key is free.

The code is the address of a loop, the detail that of the table passed to it; on a GPU they are a kernel's
handle and the number of elements for each of its threads.
"""

HOST, CUDA = (np.zeros((CAPACITY, ENTRY // 8), np.int64) for _ in range(2))
"""The tables."""

_filling = Lock()


@cache
def key_of(method: Any, dtype: str) -> int:
    """Return a kernel's key, which is not 0."""
    digest = hashlib.blake2b(f"{method.name} {dtype}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) | 1


@cache
def methods() -> dict[int, tuple[Any, str]]:
    """Return the method and the dtype of every key."""
    every = [m for function in FUNCTIONS.values() for m in function.methods.values()]
    return {key_of(method, dtype): (method, dtype) for method in every for dtype in DTYPES}


def method_of(key: int) -> tuple[Any, str]:
    """Return the method and the dtype of a program's key.

    Raises
    ------
    ValueError
        If there is no such kernel.
    """
    if key not in methods():
        raise ValueError("the program needs a kernel that this version of gpu_sigmoid does not have")
    return methods()[key]


@cache
def ready(key: int) -> int:
    """Compile the host's kernel of a key, unless it is in the table; return the key."""
    method, dtype = method_of(key)
    loop, data = LOOPS[cpu.kernel(method.formula, method.mode, dtype)]
    enter(HOST, key, loop, data, dtype)
    return key


def enter(entries: np.ndarray, key: int, code: int, detail: int, dtype: str) -> None:
    with _filling:
        place = key % CAPACITY
        while entries[place, 0] not in (0, key):
            place = (place + 1) % CAPACITY
        entries[place, 1:] = code, detail, numpy_dtype(dtype).itemsize
        # last, since a handler on another thread considers an entry with a key complete
        entries[place, 0] = key
