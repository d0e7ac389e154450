"""The choice of a call's backend by the types of its arrays, without importing their libraries.

A backend is a module of `gpu_sigmoid.backends` with `run(method, operands, out)`, where the method is a
mode of a function (`methods.Method`). It is imported with its first array.
"""

from importlib import import_module
from typing import Any

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.environment import refuse_without_gpu
from gpu_sigmoid.kinds import (
    CONVERTED,
    CUDA,
    EXCHANGED,
    HOST,
    MANAGED,
    NUMBERS,
    SEQUENCE,
    kind_of,
    kind_of_out,
    name_of,
    plain,
)

COMPANIONS = {
    "dask": {HOST, SEQUENCE},
    "jax": {HOST, SEQUENCE},
    "pandas": {HOST, SEQUENCE},
    "polars": {HOST, SEQUENCE},
    "xarray": {HOST, SEQUENCE, "dask"},
    EXCHANGED: {CUDA, SEQUENCE},
    MANAGED: {HOST, SEQUENCE},
    HOST: {SEQUENCE},
}
"""Backends that accept arrays of other kinds as well, because theirs contain or accompany them."""

_modules: dict[str, Any] = {HOST: cpu}


def call(method: Any, operands: tuple, out: Any) -> Any:
    """Compute a method of a function on the backend that the operands and `out` live on."""
    if isinstance(out, tuple) and type(out) is not tuple:
        out = tuple(out)
    found = kinds_of(method, operands, out)
    backend = backend_of(method, found)
    if not CONVERTED.isdisjoint(found):
        operands = plain(method, operands)
    if backend == CUDA:
        # checked before the backend is imported, which needs CuPy
        refuse_without_gpu(method.label)
    return module_of(backend).run(method, operands, out)


def module_of(backend: str) -> Any:
    if backend == "torch":
        # torch.compile follows an import statement, but not importlib
        from gpu_sigmoid.backends import torch

        return torch
    module = _modules.get(backend)
    if module is None:
        module = _modules[backend] = import_module(f"gpu_sigmoid.backends.{backend}")
    return module


def kinds_of(method: Any, operands: tuple, out: Any) -> dict[str, Any]:
    """Return one operand or output of each kind."""
    found = {kind_of(method, operand): operand for operand in operands}
    for array in out if isinstance(out, tuple) else (out,):
        if array is not None:
            found.setdefault(kind_of_out(method, array), array)
    return found


def backend_of(method: Any, found: dict[str, Any]) -> str:
    """Return the one backend of all that was found.

    Raises
    ------
    TypeError
        If arrays belong to different backends: nothing is transferred implicitly.
    """
    arrays = {kind: found[kind] for kind in found if kind not in NUMBERS}
    for backend, held in COMPANIONS.items():
        if backend in arrays and arrays.keys() <= {backend, *held}:
            return backend
    if len(arrays) > 1:
        kinds = " and ".join(name_of(type(o)) for o in arrays.values())
        raise TypeError(
            f"{method.label}: {kinds} cannot be mixed: make them arrays of one library in one place first; "
            "nothing is moved or converted implicitly"
        )
    backend = next(iter(arrays), HOST)
    return HOST if backend == SEQUENCE else backend
