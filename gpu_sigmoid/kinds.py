"""What an operand is, by its type: a number, a sequence of numbers, or a library's array.

No library is imported to find out. Numbers are on no device; a sequence becomes a NumPy array where one
is accepted.
"""

import array
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from gpu_sigmoid.signals import raised_in_c

LIBRARIES = {
    "cupy": ("cupy", ("ndim",)),
    "dask": ("dask", ("__dask_graph__",)),
    "jax": ("jax", ("__array__", "__setitem__")),
    "jaxlib": ("jax", ("__array__",)),
    "numba": ("numba_cuda", ("__cuda_ndarray__",)),
    "pandas": ("pandas", ("__array_ufunc__",)),
    "polars": ("polars", ("alias", "select")),
    "torch": ("torch", ("__torch_function__", "__sym_float__")),
    "xarray": ("xarray", ("__array_ufunc__", "map_over_datasets")),
}
"""The backend for a library's arrays, by the library's top-level module, and attributes of which the types of
arrays have one and the library's other types none. Some are for types that a backend takes beside arrays
(torch's symbolic numbers, xarray's trees), or refuses with an advice (JAX's references, polars' frames)."""

EXCHANGED = "array_api"
"""The backend for arrays of any other library that offers them by DLPack."""

MANAGED = "numba_cuda.managed"
"""The backend for Numba's NumPy arrays in memory that a GPU uses too."""

NUMBER, FLOAT, INT, SEQUENCE, HOST, CUDA = "number", "float", "int", "sequence", "cpu", "cupy"
NUMBERS = {NUMBER, FLOAT, INT}
"""FLOAT and INT are for subclasses of float and int, which are converted to those."""

ACCEPTED = (
    "numbers, sequences of them, arrays of NumPy, CuPy, Dask, JAX, Numba, pandas, polars, torch and xarray, "
    "and those that a library offers by DLPack or __cuda_array_interface__"
)

PLAIN = bool | int | float | np.bool | np.integer | np.float16 | np.float32
"""The types of numbers that are float64 beside a Python int beyond 64 bits; np.float64 is a float."""

_kind_of_type: dict[type, str | None] = {np.ndarray: HOST, int: NUMBER, float: NUMBER, bool: NUMBER}


def kind_of(method: Any, operand: Any) -> str:
    """Return the kind of an operand: the backend of an array, or another kind.

    Raises
    ------
    TypeError
        If the operand is not accepted.
    """
    kind = kind_if_any(operand)
    if kind is None:
        name = f"the class {name_of(operand)}" if isinstance(operand, type) else name_of(type(operand))
        raise TypeError(
            f"{method.label}: {name} is not accepted{way_of(operand)}; accepted are {method.accepted}"
        )
    return kind


def way_of(operand: Any) -> str:
    """Return how to make a NumPy array of what is not accepted, if there is a way."""
    if isinstance(operand, type | str | bytes | bytearray):
        return ""
    if hasattr(operand, "__array__") or hasattr(operand, "__array_interface__"):
        return "; numpy.asarray converts it to a NumPy array"
    return "; numpy.array(list(x)) makes a NumPy array of it" if isinstance(operand, Sequence) else ""


def kind_of_out(method: Any, out: Any) -> str:
    """Return the backend of an array that takes a result.

    Raises
    ------
    TypeError
        If it is no array.
    """
    kind = kind_if_any(out)
    if kind is None or kind in NUMBERS or kind == SEQUENCE:
        raise TypeError(
            f"{method.label}: out must be an array, or for several results a tuple of arrays, not "
            f"{name_of(type(out))}"
        )
    return kind


def kind_if_any(operand: Any) -> str | None:
    """Return the kind of an operand, None if it is not accepted."""
    kind = kind_of_type(type(operand))
    # the attributes of a class are for its objects
    return offered(operand) if kind is None and not isinstance(operand, type) else kind


def kind_of_type(of: type) -> str | None:
    """Return the kind of all operands of a type, worked out once; None if the type does not decide it."""
    if of not in _kind_of_type:
        _kind_of_type[of] = classified(of)
    return _kind_of_type[of]


# Torch.compile then takes the return value as a constant, and does not recompile a program when the table
# grows, as if this were marked by torch.compiler.assume_constant_result.
kind_of_type._dynamo_marked_constant = True  # type: ignore[attr-defined]


def classified(of: type) -> str | None:
    """Return the kind of a type's operands, by its library's arrays and by its protocols."""
    if issubclass(of, type):
        return None
    if issubclass(of, np.generic):
        return NUMBER
    if issubclass(of, np.ndarray):
        return MANAGED if hasattr(of, "__cuda_ndarray__") else HOST
    if issubclass(of, list | tuple | range | array.array | memoryview):
        return SEQUENCE
    for backend, attributes in libraries_of(of):
        if any(hasattr(of, name) for name in attributes):
            return backend
    if issubclass(of, float | int):
        return FLOAT if issubclass(of, float) else INT
    return offered(of)


def libraries_of(of: type) -> list[tuple[str, tuple[str, ...]]]:
    """Return what is known of the libraries that a type and its bases come from."""
    modules = (base.__module__.partition(".")[0] for base in of.__mro__)
    return [LIBRARIES[module] for module in modules if module in LIBRARIES]


def offered(by: Any) -> str | None:
    """Return the kind given by the protocols of a type, or of an object if its type has none."""
    if getattr(by, "__array_ufunc__", None) is not None and hasattr(by, "dtype"):
        return HOST
    if hasattr(by, "__cuda_array_interface__"):
        return CUDA
    return EXCHANGED if hasattr(by, "__dlpack_device__") else None


def name_of(of: type) -> str:
    return f"{of.__module__}.{of.__qualname__}"


def name_without_labels(operand: Any) -> str:
    """Return what an operand beside labelled ones is called in errors; lists have become arrays there."""
    return "a list or NumPy array" if type(operand) is np.ndarray else type(operand).__name__


def from_sequence(method: Any, sequence: Any) -> np.ndarray:
    """Return the NumPy array that a sequence of numbers, or of sequences and NumPy arrays, makes.

    Raises
    ------
    TypeError
        If NumPy would lose something of an element.
    ValueError
        If its lengths make no array.
    """
    if isinstance(sequence, list | tuple):
        for of in filter(is_more_than_an_array, types_held(sequence)):
            raise TypeError(
                f"{method.label}: a sequence of {name_of(of)} is not accepted: join it into one array with "
                "the library of its elements (NumPy would lose masks and labels, or move data implicitly)"
            )
    try:
        array = np.asarray(sequence)
    except ValueError as error:
        # an element's own method, or a signal handler, may have raised it
        if not raised_in_c(error):
            raise
        raise ValueError(
            f"{method.label}: a sequence must hold numbers, or sequences of equal lengths: NumPy makes no "
            f"array of this one ({error})"
        ) from None
    # NumPy makes objects of numbers if one is an int beyond 64 bits
    if array.dtype == object and all(issubclass(of, PLAIN | list | tuple) for of in types_held(sequence)):
        return np.asarray(sequence, np.float64)
    return array


def is_more_than_an_array(of: type) -> bool:
    """Return whether objects of this type would lose something in a NumPy array."""
    kind = kind_of_type(of)
    if kind is None:
        # for other objects the dtype that NumPy finds gives a better error
        return hasattr(of, "__array__") or bool(libraries_of(of))
    return kind not in {*NUMBERS, SEQUENCE} and of not in (np.ndarray, np.memmap)


def types_held(sequence: Any) -> Iterator[type]:
    """Yield the types of the elements of a sequence, and of nested sequences."""
    # more axes than an array may have
    for _ in range(65):
        kinds = set(map(type, sequence))
        yield from kinds
        nested = tuple(kind for kind in kinds if issubclass(kind, list | tuple))
        if not nested:
            break
        sequence = list(chain.from_iterable(held for held in sequence if isinstance(held, nested)))


CONVERTED = {FLOAT, INT, SEQUENCE}
"""The kinds of operands that are converted for backends."""


def plain(method: Any, operands: tuple) -> tuple:
    """Return operands with sequences as NumPy arrays, and numbers as Python's own."""
    convert: dict[str, Callable[[Any], Any]] = {
        FLOAT: float,
        INT: int,
        SEQUENCE: lambda s: from_sequence(method, s),
    }
    return tuple([convert[kind](o) if (kind := kind_of(method, o)) in CONVERTED else o for o in operands])
