"""Real NumPy ufuncs from compiled loops, by NumPy's C API.

`numba.vectorize` makes ufuncs too, but with one output only, no 16-bit floats and a
loop whose code it does not let one choose.
"""

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np

# Places in NumPy's ufunc C API table, fixed by its ABI.
FROM_FUNC_AND_DATA = 1
NO_IDENTITY = -1

# A ufunc borrows the memory it is made from.
_kept: list[object] = []


@cache
def _from_func_and_data() -> Callable[..., np.ufunc]:
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    capsule = np._core._multiarray_umath._UFUNC_API  # type: ignore[attr-defined]
    table = ctypes.cast(get_pointer(capsule, None), ctypes.POINTER(ctypes.c_void_p))
    pointers = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    counts = [ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    prototype = ctypes.PYFUNCTYPE(
        ctypes.py_object, *pointers, *counts, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int
    )
    return prototype(table[FROM_FUNC_AND_DATA])


def make_ufunc(
    name: str,
    doc: str,
    loop: int | None,
    dtype: np.dtype,
    inputs: int,
    outputs: int,
    table: np.ndarray | None = None,
) -> np.ufunc:
    """Return the ufunc whose one inner loop, over operands of `dtype`, is at address `loop`.

    The loop's last argument is the address of `table`.
    """
    assert loop is not None
    loops = (ctypes.c_void_p * 1)(loop)
    data = (ctypes.c_void_p * 1)(None if table is None else table.ctypes.data)
    types = (ctypes.c_ubyte * (inputs + outputs))(*[int(dtype.num)] * (inputs + outputs))
    name_bytes, doc_bytes = name.encode(), doc.encode()
    _kept.append((loops, data, types, name_bytes, doc_bytes, table))
    addresses = [ctypes.addressof(loops), ctypes.addressof(data), ctypes.addressof(types)]
    ufunc: np.ufunc = _from_func_and_data()(
        *addresses, 1, inputs, outputs, NO_IDENTITY, name_bytes, doc_bytes, 0
    )
    return ufunc
