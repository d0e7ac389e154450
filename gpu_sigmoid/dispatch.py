"""Which backend a call goes to: by the types of its arrays, importing no library to ask.

A backend is a module of `gpu_sigmoid.backends` with `run(method, operands, out)`, where the method is
a mode of a function (`functions.Method`); it is imported when the first of its arrays comes.
"""

import array
from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np
from numpy import broadcast, ndarray

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu import SPLIT_FROM
from gpu_sigmoid.environment import require_gpu

BACKENDS = {
    "cupy": "cupy",
    "dask": "dask",
    "jax": "jax",
    "jaxlib": "jax",
    "numba": "numba_cuda",
    "pandas": "pandas",
    "torch": "torch",
    "xarray": "xarray",
}
"""The backend that serves a library's arrays, by the library's top-level module."""

EXCHANGED = "array_api"
"""The backend for arrays of any other library that offers them by DLPack."""

NUMBER, HOST, CUDA = "number", "cpu", "cupy"

MANAGED = "numba_cuda.managed"
"""The backend for NumPy arrays of Numba's, in memory that a GPU uses too."""

COMPANIONS = {
    "dask": {HOST},
    "jax": {HOST},
    "pandas": {HOST},
    "xarray": {HOST, "dask"},
    EXCHANGED: {CUDA},
    MANAGED: {HOST},
}
"""Backends whose arrays hold arrays of others, or lie beside them, which may be operands too."""

_modules: dict[str, Any] = {}
_backend_of_type: dict[type, str] = {np.ndarray: HOST, int: NUMBER, float: NUMBER, bool: NUMBER}


def call(method: Any, operands: tuple, out: Any) -> Any:
    """Compute a method of a function on the backend that the operands and `out` live on."""
    # The common cases, kept short: a microsecond counts for one element. Whatever a ufunc raises goes
    # to the caller, since it may come from a signal's handler: nothing is tried a second time.
    first = operands[0]
    alone = len(operands) == 1
    if type(first) is ndarray:
        dtype = first.dtype
        ufunc = method.ready.get(dtype)
        if ufunc is not None and first.nbytes < SPLIT_FROM and (alone or alike(operands, dtype)):
            if out is None:
                return ufunc(first) if alone else ufunc(*operands)
            if type(out) is ndarray:
                # by position: NumPy takes longer for a keyword
                if ufunc.nout == 1 and out.dtype is dtype and takes(out, operands):
                    return ufunc(first, out) if alone else ufunc(*operands, out)
            elif type(out) is tuple and len(out) == ufunc.nout and all_take(out, operands, dtype):
                return ufunc(*operands, out=out)
    elif type(first) is float:
        ufunc = method.ready.get(float)
        if ufunc is not None and alone and out is None:
            return ufunc(first)
    elif is_ready(method, type(first)):
        result = method.ready[type(first)](operands, out)
        if result is not NotImplemented:
            return result
    if isinstance(out, tuple) and type(out) is not tuple:
        out = tuple(out)
    backend = backend_of(method, operands, out)
    if backend == HOST:
        return cpu.run(method, operands, out)
    if backend == CUDA:
        # asked before the backend is imported, which takes CuPy
        require_gpu(method)
    return module_of(backend).run(method, operands, out)


def is_ready(method: Any, kind: type) -> bool:
    """Return whether operands of a type may need no preparation."""
    return kind in method.ready


def module_of(backend: str) -> Any:
    if backend == "torch":
        # torch.compile follows an import statement, but not importlib
        from gpu_sigmoid.backends import torch

        return torch
    module = _modules.get(backend)
    if module is None:
        module = _modules[backend] = import_module(f"gpu_sigmoid.backends.{backend}")
    return module


def alike(operands: Any, dtype: np.dtype) -> bool:
    """Return whether this is a tuple of NumPy arrays of `dtype`, all small."""
    if type(operands) is not tuple:
        return False
    for operand in operands:
        if type(operand) is not ndarray or operand.dtype is not dtype or operand.nbytes >= SPLIT_FROM:
            return False
    return True


def takes(out: ndarray, operands: tuple) -> bool:
    """Return whether an array has the shape that the operands broadcast to.

    A ufunc would repeat its result over a larger one. A smaller one it refuses: where one
    operand has the shape, the result can have no other.
    """
    shape = out.shape
    for operand in operands:
        if operand.shape == shape:
            return True
    try:
        return broadcast(*operands).shape == shape
    except ValueError:
        return False


def all_take(outs: tuple, operands: tuple, dtype: np.dtype) -> bool:
    """Return whether these are different small arrays, no views, each of which can take a result."""
    shape = operands[0].shape
    before = None
    for out in outs:
        if type(out) is not ndarray or out.dtype is not dtype or out.nbytes >= SPLIT_FROM:
            return False
        # arrays that own their memory share none
        if out is before or out.base is not None:
            return False
        if out.shape != shape and not takes(out, operands):
            return False
        before = out
    return True


def backend_of(method: Any, operands: tuple, out: Any) -> str:
    """Return the one backend of all arrays among operands and outputs.

    Raises
    ------
    TypeError
        If a type is not supported, or two live on different backends: nothing is
        transferred without being asked for.
    """
    for operand in operands:
        if isinstance(operand, list | tuple):
            check_held(method.label, operand)
    outs = out if isinstance(out, tuple) else (out,)
    found: dict[str, Any] = {}
    for operand in (*operands, *(o for o in outs if o is not None)):
        found.setdefault(backend_of_type(method.label, type(operand)), operand)
    found.pop(NUMBER, None)
    for backend, held in COMPANIONS.items():
        if len(found) > 1 and backend in found and found.keys() <= {backend, *held}:
            return backend
    if len(found) > 1:
        kinds = " and ".join(name_of(type(o)) for o in found.values())
        raise TypeError(
            f"{method.label}: {kinds} cannot be mixed: move them to one place first, nothing is "
            "transferred without being asked for"
        )
    return next(iter(found), HOST)


def check_held(label: str, sequence: Any) -> None:
    """Raise a TypeError if NumPy, making an array of a sequence, would lose what its elements are."""
    for kind in types_held(sequence):
        try:
            plain = backend_of_type(label, kind) in (NUMBER, HOST) and not issubclass(kind, np.ma.MaskedArray)
        except TypeError:
            # of what is no array the dtype that NumPy finds says more
            continue
        if not plain:
            raise TypeError(
                f"{label}: a sequence of {name_of(kind)} is not accepted: make one array of it first, by the "
                "library that they are from (NumPy would lose masks and labels, or move them unasked)"
            )


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


def backend_of_type(label: str, kind: type) -> str:
    """Return the backend for a type, which is asked of it once."""
    backend = _backend_of_type.get(kind)
    if backend is None:
        backend = _backend_of_type[kind] = classify(label, kind)
    return backend


# Torch.compile takes what these return for a constant, and does not compile a program anew because a
# table has grown: as torch.compiler.assume_constant_result would mark them.
for _looked_up in (is_ready, backend_of_type):
    _looked_up._dynamo_marked_constant = True  # type: ignore[attr-defined]


def classify(label: str, kind: type) -> str:
    """Return the backend for a type, by where it and its bases are defined."""
    if issubclass(kind, np.generic):
        return NUMBER
    if issubclass(kind, np.ndarray) and hasattr(kind, "__cuda_ndarray__"):
        return MANAGED
    if issubclass(kind, np.ndarray | list | tuple | range | array.array | memoryview):
        return HOST
    for base in kind.__mro__:
        backend = BACKENDS.get(base.__module__.partition(".")[0])
        if backend is not None:
            return backend
    if getattr(kind, "__array_ufunc__", None) is not None and hasattr(kind, "dtype"):
        return HOST
    if hasattr(kind, "__cuda_array_interface__"):
        return CUDA
    if hasattr(kind, "__dlpack_device__"):
        return EXCHANGED
    raise TypeError(f"{label} takes a number, a sequence of numbers or a NumPy array, not {name_of(kind)}")


def name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
