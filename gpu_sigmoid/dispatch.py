"""The choice of a call's backend by the types of its arrays, without importing their libraries.

A backend is a module of `gpu_sigmoid.backends` with `run(method, operands, out)`, where the method is a
mode of a function (`methods.Method`). It is imported with its first array.
"""

from importlib import import_module
from typing import Any

from numpy import ndarray

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.prepared import (
    all_in_one_run,
    all_take,
    in_one_run,
    on_arrays,
    on_contiguous,
    takes,
)
from gpu_sigmoid.backends.cpu.threads import SMALL, threads_for
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

_modules: dict[str, Any] = {}


def call(method: Any, operands: tuple, out: Any) -> Any:
    """Compute a method of a function on the backend that the operands and `out` live on."""
    # The common cases, kept short, since a microsecond matters for one element. Exceptions of a ufunc go
    # to the caller, because a signal handler may have raised them: nothing is tried a second time.
    first = operands[0]
    alone = len(operands) == 1
    if type(first) is ndarray:
        dtype = first.dtype
        ufunc = method.ready.get(dtype)
        if ufunc is not None:
            try:
                if alone and first.nbytes <= SMALL:
                    if out is None:
                        return ufunc(first)
                    if (
                        type(out) is ndarray
                        and out.dtype is dtype
                        and out.shape == first.shape
                        and ufunc.nout == 1
                    ):
                        # by position: NumPy takes longer for a keyword
                        return ufunc(first, out)
                if (alone or all_in_one_run(operands, dtype)) and (
                    first.nbytes <= SMALL or in_one_run(first)
                ):
                    threads = 1 if first.nbytes <= SMALL else threads_for(ufunc, first.size)
                    if threads > 1:
                        result = on_contiguous(ufunc, dtype, operands, out, threads)
                        if result is not NotImplemented:
                            return result
                    elif out is None:
                        return ufunc(first) if alone else ufunc(*operands)
                    elif type(out) is ndarray:
                        if (
                            ufunc.nout == 1
                            and out.dtype is dtype
                            and (out.nbytes <= SMALL or in_one_run(out))
                            and takes(out, operands)
                        ):
                            # by position: NumPy takes longer for a keyword
                            return ufunc(first, out) if alone else ufunc(*operands, out)
                    elif type(out) is tuple and len(out) == ufunc.nout and all_take(out, operands, dtype):
                        return ufunc(*operands, out=out)
                result = on_arrays(ufunc, dtype, operands, out)
                if result is not NotImplemented:
                    return result
            except ValueError as error:
                # The ufunc's own error has no frame but this one; one of a signal handler has, and remains.
                if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                    cpu.refuse(method, dtype, operands, out)
                raise
    elif type(first) is float:
        ufunc = method.ready.get(float)
        if ufunc is not None and alone and out is None:
            return ufunc(first)
    elif method.is_ready(type(first)):
        result = method.ready[type(first)](operands, out)
        if result is not NotImplemented:
            return result
    if isinstance(out, tuple) and type(out) is not tuple:
        out = tuple(out)
    found = kinds_of(method, operands, out)
    backend = backend_of(method, found)
    if not CONVERTED.isdisjoint(found):
        operands = plain(method, operands)
    if backend == HOST:
        return cpu.run(method, operands, out)
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
