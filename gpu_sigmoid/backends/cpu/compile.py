"""From a formula's component and a dtype to a compiled ufunc."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import types

from gpu_sigmoid.backends.cpu import intrinsics
from gpu_sigmoid.backends.cpu.loop import LOOP_INTRINSICS, loop_source
from gpu_sigmoid.backends.cpu.ufunc import make_ufunc
from gpu_sigmoid.lowering import Program, lower, primitives, python_source
from gpu_sigmoid.lowering.constants import FLOAT32, FLOAT64, Format

# 16-bit results are computed in float32 and rounded once.
FORMATS: dict[str, Format] = {"float16": FLOAT32, "bfloat16": FLOAT32, "float32": FLOAT32, "float64": FLOAT64}
# NumPy has no bfloat16 of its own: its ufunc runs over the bits.
STORAGE = {name: np.dtype("uint16" if name == "bfloat16" else name) for name in FORMATS}

SCALARS = {FLOAT32: (np.float32, np.uint32), FLOAT64: (np.float64, np.uint64)}


def compile_ufunc(formula: Callable, component: str, dtype: str) -> np.ufunc:
    """Return the ufunc that computes `component` of `formula` on arrays of `dtype`."""
    program = lower(formula, component, FORMATS[dtype], narrowed=STORAGE[dtype].itemsize == 2)
    address = compile_loop(program, dtype).address
    assert address is not None
    doc = f"{component} of {formula.__name__} in {dtype}"
    return make_ufunc(
        f"{program.name}_{dtype}",
        doc,
        address,
        STORAGE[dtype],
        len(program.inputs),
        len(program.outputs),
    )


def compile_loop(program: Program, dtype: str, cache: bool = True) -> "numba.core.ccallback.CFunc":
    """Return the compiled inner loop of `program` over operands of `dtype`."""
    storage = STORAGE[dtype]
    source = python_source(program) + loop_source(len(program.inputs), len(program.outputs), storage.itemsize)
    namespace = scope(program, dtype)
    exec(compile(source, __file__, "exec"), namespace)
    # Numba's disk cache goes by the file that a function claims to be from and by its
    # name, and the linker by its name alone: each name says all the code depends on.
    identity = f"{program.name}_{dtype}_{digest(source)}"
    for name in ("scalar", "contiguous", "copy", "loop"):
        namespace[name].__qualname__ = f"{name}_{identity}"
    for name in ("scalar", "contiguous", "copy"):
        namespace[name] = numba.njit(namespace[name], forceinline=name == "scalar")

    element = types.CPointer(numba.from_dtype(np.dtype("uint16") if storage.itemsize == 2 else storage))
    counts = types.CPointer(types.intp)
    signature = types.void(types.CPointer(element), counts, counts, types.voidptr)
    try:
        return numba.cfunc(signature, cache=cache)(namespace["loop"])
    except RuntimeError as error:
        if "no locator" not in str(error):
            raise
        return numba.cfunc(signature)(namespace["loop"])


def digest(source: str) -> str:
    """Return a hash of a kernel's source and of what emits its operations."""
    emitters = [Path(module.__file__ or "").read_bytes() for module in (intrinsics, primitives)]
    return hashlib.sha256(b"".join([source.encode(), *emitters])).hexdigest()[:16]


def scope(program: Program, dtype: str) -> dict[str, Any]:
    """Return the names that the source of a kernel refers to."""
    floating, integer = SCALARS[program.format]
    return {
        "__name__": __name__,
        "floating": floating,
        "integer": integer,
        "load": intrinsics.load(dtype),
        "store": intrinsics.store(dtype),
        **{name: getattr(intrinsics, name) for name in LOOP_INTRINSICS},
        **{name: intrinsics.primitive(name) for name in primitives.ARITY},
    }
