"""Layouts of arrays: views of an array of one dimension and SIZE elements."""

from collections.abc import Callable

import numpy as np

SIZE = 241

LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "contiguous": lambda x: x[:240],
    # no longer at a multiple of 16 bytes
    "misaligned": lambda x: x[1:],
    "every third": lambda x: x[::3],
    "reversed": lambda x: x[::-1],
    "Fortran": lambda x: x[:240].reshape(8, 30).T,
    "permuted": lambda x: x[:240].reshape(4, 6, 10).transpose(1, 2, 0),
    "rows of a wider array": lambda x: x[:240].reshape(12, 20)[:, 1:15],
    "repeated rows": lambda x: np.broadcast_to(x[:20], (3, 20)),
    "repeated columns": lambda x: np.broadcast_to(x[:20, None], (20, 3)),
}

MANY_AXES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "holes": lambda x: x[:240].reshape(6, 8, 5)[::2, 1:7, ::-4],
    # which cannot be merged into fewer than five nested loops
    "five axes": lambda x: x[:240].reshape(2, 3, 4, 5, 2)[::-1, :, ::2, ::-1],
}
