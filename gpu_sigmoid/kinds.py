"""What an operand is: a number, a sequence of numbers, or an array of a library's, by its type.

No library is imported to ask. A number lies nowhere; a sequence lies nowhere yet, and becomes a
NumPy array where one can be taken.
"""

import array
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import numpy as np

BACKENDS = {
    "cupy": "cupy",
    "dask": "dask",
    "jax": "jax",
    "jaxlib": "jax",
    "numba": "numba_cuda",
    "pandas": "pandas",
    "polars": "polars",
    "torch": "torch",
    "xarray": "xarray",
}
"""The backend that serves a library's arrays, by the library's top-level module."""

EXCHANGED = "array_api"
"""The backend for arrays of any other library that offers them by DLPack."""

MANAGED = "numba_cuda.managed"
"""The backend for NumPy arrays of Numba's, in memory that a GPU uses too."""

NUMBER, FLOAT, INT, SEQUENCE, HOST, CUDA = "number", "float", "int", "sequence", "cpu", "cupy"
NUMBERS = {NUMBER, FLOAT, INT}
"""Of a class of its own, derived from float or int, a number is taken as one of those."""

ACCEPTED = (
    "numbers, sequences of them, arrays of NumPy, CuPy, Dask, JAX, Numba, pandas, polars, torch and xarray, "
    "and those that a library offers by DLPack or __cuda_array_interface__"
)

_kind_of_type: dict[type, str | None] = {np.ndarray: HOST, int: NUMBER, float: NUMBER, bool: NUMBER}


def kind_of(method: Any, operand: Any) -> str:
    """Return the backend of an array, or what else an operand is.

    Raises
    ------
    TypeError
        If it is nothing that is accepted.
    """
    kind = kind_of_type(type(operand)) or offered(operand)
    if kind is None:
        host = hasattr(operand, "__array__") or hasattr(operand, "__array_interface__")
        way = "; numpy.asarray converts it to a NumPy array" if host else ""
        name = name_of(type(operand))
        raise TypeError(f"{method.label}: {name} is not accepted{way}; accepted are {ACCEPTED}")
    return kind


def kind_of_out(method: Any, out: Any) -> str:
    """Return the backend of an array that takes a result.

    Raises
    ------
    TypeError
        If it is no array.
    """
    kind = kind_of_type(type(out)) or offered(out)
    if kind is None or kind in NUMBERS or kind == SEQUENCE:
        raise TypeError(
            f"{method.label}: out must be an array, or for several results a tuple of arrays, not "
            f"{name_of(type(out))}"
        )
    return kind


def kind_of_type(of: type) -> str | None:
    """Return the kind of all operands of a type, which is worked out once; None where there is none."""
    if of not in _kind_of_type:
        _kind_of_type[of] = classified(of)
    return _kind_of_type[of]


# Torch.compile takes what this returns for a constant, and does not compile a program anew because the
# table has grown: as torch.compiler.assume_constant_result would mark it.
kind_of_type._dynamo_marked_constant = True  # type: ignore[attr-defined]


def classified(of: type) -> str | None:
    """Return the kind of a type's operands, by where it and its bases are defined, and what it offers."""
    if issubclass(of, np.generic):
        return NUMBER
    if issubclass(of, np.ndarray):
        return MANAGED if hasattr(of, "__cuda_ndarray__") else HOST
    if issubclass(of, list | tuple | range | array.array | memoryview):
        return SEQUENCE
    for base in of.__mro__:
        backend = BACKENDS.get(base.__module__.partition(".")[0])
        if backend is not None:
            return backend
    if issubclass(of, float | int):
        return FLOAT if issubclass(of, float) else INT
    return offered(of)


def offered(by: Any) -> str | None:
    """Return the kind of what a type offers, or an object of a type that offers nothing."""
    if getattr(by, "__array_ufunc__", None) is not None and hasattr(by, "dtype"):
        return HOST
    if hasattr(by, "__cuda_array_interface__"):
        return CUDA
    return EXCHANGED if hasattr(by, "__dlpack_device__") else None


def name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def from_sequence(method: Any, sequence: Any) -> np.ndarray:
    """Return the NumPy array that a sequence of numbers, or of sequences and NumPy arrays, makes.

    Raises
    ------
    TypeError
        If NumPy would lose what an element is.
    """
    if isinstance(sequence, list | tuple):
        for of in filter(is_more_than_an_array, types_held(sequence)):
            raise TypeError(
                f"{method.label}: a sequence of {name_of(of)} is not accepted: join it into one array with "
                "the library of its elements (NumPy would lose masks and labels, or move data implicitly)"
            )
    return np.asarray(sequence)


def is_more_than_an_array(of: type) -> bool:
    """Return whether what is of this type would lose something in a NumPy array of such."""
    kind = kind_of_type(of)
    if kind is None:
        # of what is no array the dtype that NumPy finds says more
        return hasattr(of, "__array__")
    return kind not in {*NUMBERS, SEQUENCE} and of not in (np.ndarray, np.memmap)


def types_held(sequence: Any) -> Iterator[type]:
    """Yield the types of what is in a sequence, and of what is in those."""
    # more axes than an array may have
    for _ in range(65):
        kinds = set(map(type, sequence))
        yield from kinds
        nested = tuple(kind for kind in kinds if issubclass(kind, list | tuple))
        if not nested:
            break
        sequence = list(chain.from_iterable(held for held in sequence if isinstance(held, nested)))


CONVERTED = {FLOAT, INT, SEQUENCE}
"""The kinds of operands for which backends are given others."""


def plain(method: Any, operands: tuple) -> tuple:
    """Return operands with NumPy arrays for sequences, and Python's numbers for those of other classes."""
    convert: dict[str, Callable[[Any], Any]] = {
        FLOAT: float,
        INT: int,
        SEQUENCE: lambda s: from_sequence(method, s),
    }
    return tuple([convert[kind](o) if (kind := kind_of(method, o)) in CONVERTED else o for o in operands])
