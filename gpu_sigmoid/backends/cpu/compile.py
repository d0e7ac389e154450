"""From a formula's component and a dtype to a compiled ufunc."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import config
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc
from numba.core.registry import CPUDispatcher

from gpu_sigmoid.backends.cpu import conversions, intrinsics, look_up
from gpu_sigmoid.backends.cpu.loop import LOOP_INTRINSICS, loop_source
from gpu_sigmoid.backends.cpu.ufunc import make_ufunc
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.bounds import DTYPES
from gpu_sigmoid.lowering import Program, lower_for, primitives, python_source
from gpu_sigmoid.lowering.constants import FLOAT32, FLOAT64
from gpu_sigmoid.version import __version__

# NumPy has no bfloat16 of its own: its ufunc runs over the bits.
STORAGE = {name: np.dtype("uint16" if name == "bfloat16" else name) for name in DTYPES}

SCALARS = {FLOAT32: (np.float32, np.uint32), FLOAT64: (np.float64, np.uint64)}


def compile_ufunc(formula: Callable, component: str, dtype: str) -> np.ufunc:
    """Return the ufunc that computes `component` of `formula` on arrays of `dtype`."""
    program = lower_for(formula, component, dtype)
    doc = f"{component} of {formula.__name__} in {dtype}"
    loop = compile_loop(program, dtype)
    name = f"{program.name}_{dtype}"
    return make_ufunc(name, doc, loop.address, STORAGE[dtype], len(program.inputs), len(program.outputs))


def compile_loop(program: Program, dtype: str, cache: bool = True) -> CFunc:
    """Return the compiled inner loop of `program` over operands of `dtype`."""
    storage = STORAGE[dtype]
    source = python_source(program) + loop_source(len(program.inputs), len(program.outputs), storage.itemsize)
    element = np.dtype("uint16") if storage.itemsize == 2 else storage
    return native(source, scope(program, dtype), f"{program.name}_{dtype}", element, cache=cache)


def native(
    source: str,
    scope: dict[str, Any],
    name: str,
    element: np.dtype,
    entry: np.dtype | None = None,
    cache: bool = True,
) -> CFunc:
    """Return the function `loop` of `source`, compiled as a ufunc's inner loop.

    Its other functions are compiled with it. The loop's last argument points to a table
    of `entry`, or to nothing.
    """
    namespace: dict[str, Any] = {"__name__": __name__, **scope}
    exec(compile(source, existing_file(), "exec"), namespace)
    functions = {key: value for key, value in namespace.items() if isinstance(value, FunctionType)}
    # Numba's disk cache goes by the file that a function claims to be from and by its
    # name, and the linker by its name alone: each name says all the code depends on.
    for key, function in functions.items():
        function.__qualname__ = f"{key}_{name}_{digest(source)}"
        if key != "loop":
            namespace[key] = jitted(function, forceinline=key == "scalar")

    pointer = types.CPointer(numba.from_dtype(element))
    counts = types.CPointer(types.intp)
    table = types.CPointer(numba.from_dtype(entry)) if entry else types.voidptr
    signature = types.void(types.CPointer(pointer), counts, counts, table)
    return undisturbed(lambda: compiled(functions["loop"], signature, cache))


def jitted(function: FunctionType, **options: Any) -> CPUDispatcher:
    """Return what `numba.njit` does, unless the environment's NUMBA_DISABLE_JIT=1 says not to."""
    return CPUDispatcher(function, targetoptions={"nopython": True, **options})


@contextlib.contextmanager
def jit_enabled() -> Iterator[None]:
    """Let Numba compile its own functions that a kernel calls, where NUMBA_DISABLE_JIT=1 says not to.

    One thread at a time: it is a setting of the process.
    """
    # what has changed in the environment takes effect now, not while compiling
    config.reload_config()
    disabled, config.DISABLE_JIT = config.DISABLE_JIT, 0
    try:
        yield
    finally:
        config.DISABLE_JIT = disabled


def existing_file() -> str:
    """Return this module's file, or the archive that it is in: Numba's cache lies near a file there is."""
    path = Path(__file__)
    return str(next((p for p in (path, *path.parents) if p.is_file()), path))


class Cache(FunctionCache):
    """Numba's disk cache, which may have a file cut short, or no room for another."""

    def load_overload(self, *args: Any) -> Any:
        with contextlib.suppress(Exception):
            return super().load_overload(*args)

    def save_overload(self, *args: Any) -> None:
        with contextlib.suppress(Exception):
            super().save_overload(*args)


def compiled(loop: FunctionType, signature: Any, cache: bool) -> CFunc:
    function = CFunc(loop, (signature.args, signature.return_type), locals={}, options={})
    if cache:
        # it finds no place to write to
        with contextlib.suppress(Exception):
            function._cache = Cache(loop)  # type: ignore[attr-defined]
    with jit_enabled():
        function.compile()
    return function


def digest(source: str) -> str:
    """Return a hash of a kernel's source and of what emits its operations."""
    emitters = [contents(module) for module in (conversions, intrinsics, look_up, primitives)]
    return hashlib.sha256(b"".join([source.encode(), *emitters])).hexdigest()[:16]


def contents(module: Any) -> bytes:
    """Return the contents of a module's file, which may be compiled, in an archive, or nowhere."""
    with contextlib.suppress(AttributeError, OSError):
        return module.__spec__.loader.get_data(module.__spec__.origin)
    return __version__.encode()


def scope(program: Program, dtype: str) -> dict[str, Any]:
    """Return the names that the source of a kernel refers to."""
    floating, integer = SCALARS[program.format]
    return {
        "floating": floating,
        "integer": integer,
        "load": intrinsics.load(dtype),
        "store": intrinsics.store(dtype),
        **{name: getattr(intrinsics, name) for name in LOOP_INTRINSICS},
        **{name: intrinsics.primitive(name) for name in primitives.ARITY},
    }
