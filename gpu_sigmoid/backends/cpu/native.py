"""From source text to native code by Numba, with its disk cache."""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import config
from numba.core.ccallback import CFunc
from numba.core.registry import CPUDispatcher

from gpu_sigmoid.backends import conversions
from gpu_sigmoid.backends.cpu import (
    copies,
    fp_environment,
    groups,
    intrinsics,
    loop,
    lut_intrinsics,
    multiply_add,
    negation,
    nest,
    writer,
)
from gpu_sigmoid.backends.cpu.disk import Cache
from gpu_sigmoid.formulas import double_double, fused
from gpu_sigmoid.lowering import primitives
from gpu_sigmoid.version import __version__

LOOP_MODULES = (copies, fp_environment, groups, loop, nest, writer)
OPERATION_MODULES = (
    *(conversions, double_double, fused, intrinsics, lut_intrinsics, multiply_add, negation, primitives),
)


def functions(source: str, scope: dict[str, Any], name: str) -> dict[str, FunctionType]:
    """Return the functions that `source` defines, which refer to the names in `scope`.

    Numba's disk cache identifies a function by its file and its name, and the linker by its name alone.
    So each name contains everything that the code depends on.
    """
    namespace: dict[str, Any] = {"__name__": __name__, **scope}
    exec(compile(source, existing_file(), "exec"), namespace)
    defined = {
        key: value for key, value in namespace.items() if isinstance(value, FunctionType) and key not in scope
    }
    for key, function in defined.items():
        function.__qualname__ = f"{key}_{name}_{digest(source)}"
    return defined


def compiled_kernel(
    source: str,
    scope: dict[str, Any],
    name: str,
    element: np.dtype,
    table_entry: np.dtype | None = None,
    cache: bool = True,
) -> CFunc:
    """Return the function `kernel` of `source`, compiled as `loop` calls it.

    Its last argument points to a table of `table_entry`, or is null.
    """
    pointer = types.CPointer(numba.from_dtype(element))
    table = types.CPointer(numba.from_dtype(table_entry)) if table_entry else types.voidptr
    count, words = types.intp, types.CPointer(types.intp)
    signature = types.void(count, count, count, types.CPointer(pointer), words, words, table)
    return compiled(functions(source, scope, name)["kernel"], signature, cache)


@cache
def inner_loop(itemsize: int) -> CFunc:
    """Return the inner loop of all ufuncs over elements of `itemsize` bytes."""
    return of_words(loop.inner_loop, "args, dimensions, steps, record", itemsize)


@cache
def nested_loops(itemsize: int) -> CFunc:
    """Return the function that computes a job of `nest` on elements of `itemsize` bytes."""
    return of_words(nest.loops, "job, start, stop", itemsize)


def of_words(intrinsic: Any, operands: str, itemsize: int) -> CFunc:
    """Compile a function of words that calls an intrinsic with the element size first."""
    name = f"of_{itemsize}_bytes"
    source = f"def {intrinsic.__name__}({operands}):\n    compute({itemsize}, {operands})\n"
    (function,) = functions(source, {"compute": intrinsic}, name).values()
    return compiled(function, types.void(*[types.intp] * (1 + operands.count(","))), cache=True)


def of_own(function: FunctionType, signature: Any, modules: Iterable[Any], constants: str = "") -> CFunc:
    """Compile a function of ours, kept on disk under a name that says which modules it was made of."""
    made_of = hashlib.sha256(b"".join(map(contents, modules)) + constants.encode()).hexdigest()[:16]
    function.__qualname__ = f"{function.__name__}_{made_of}"
    return compiled(function, signature, cache=True)


def jitted(function: Callable[..., Any], **options: Any) -> CPUDispatcher:
    """Compile by `numba.njit`, even if NUMBA_DISABLE_JIT=1 is set in the environment."""
    return CPUDispatcher(function, targetoptions={"nopython": True, **options})


def compiled(code: FunctionType, signature: Any, cache: bool) -> CFunc:
    function = CFunc(code, (signature.args, signature.return_type), locals={}, options={})
    if cache:
        # Numba finds no place to write to
        with contextlib.suppress(Exception):
            function._cache = Cache(code)  # type: ignore[attr-defined]
    with jit_enabled():
        function.compile()
    return function


@contextlib.contextmanager
def jit_enabled() -> Iterator[None]:
    """Let Numba compile its own functions that a kernel calls, even with NUMBA_DISABLE_JIT=1.

    Only one thread at a time, since the setting belongs to the process.
    """
    # changes of the environment take effect now, not during compilation
    config.reload_config()
    disabled, config.DISABLE_JIT = config.DISABLE_JIT, 0
    try:
        yield
    finally:
        config.DISABLE_JIT = disabled


def existing_file() -> str:
    """Return this module's file or archive, since Numba's cache is placed near an existing file."""
    # loaders need not set it; then there is no cache
    path = Path(globals().get("__file__", "<gpu_sigmoid>"))
    return str(next((p for p in (path, *path.parents) if p.is_file()), path))


def digest(source: str) -> str:
    """Return a hash of a kernel's source and of the modules that emit its operations."""
    emitters = [contents(module) for module in (*LOOP_MODULES, *OPERATION_MODULES)]
    return hashlib.sha256(b"".join([source.encode(), *emitters])).hexdigest()[:16]


def contents(module: Any) -> bytes:
    """Return the contents of a module's file, which may be compiled, in an archive, or missing."""
    with contextlib.suppress(AttributeError, OSError):
        return module.__spec__.loader.get_data(module.__spec__.origin)
    return __version__.encode()
