"""A method as a `cupy.ufunc`, which `cupy.fuse` and `cupyx.jit` compile into their kernels."""

from dataclasses import replace
from functools import cache
from typing import Any

from cupy._core import _fusion_interface, create_ufunc

from gpu_sigmoid.backends.cupy.storage import CONVERSIONS
from gpu_sigmoid.backends.outputs import counted_out
from gpu_sigmoid.lowering import Program, cuda_source, lower_for

Placeholder = _fusion_interface._VariableProxy
"""The types of the arguments that `cupy.fuse` passes instead of arrays."""

FLOATS = {"e": "float16", "f": "float32", "d": "float64"}
INTEGERS = "?bBhHiIlLqQ"
"""NumPy's type characters for CuPy's ufuncs; integers are computed in float64."""


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute within `cupy.fuse`."""
    return ufunc(method)(*operands, *counted_out(method, out))


@cache
def ufunc(method: Any) -> Any:
    """Return the ufunc of a method."""
    inputs, results = len(method.operands), len(method.mode.partials)
    # two of them are functions of float, and float16 results are rounded again
    programs = {
        character: replace(
            program := lower_for(method.formula, method.mode, dtype), name=f"{program.name}_{dtype}"
        )
        for character, dtype in FLOATS.items()
    }
    routines = {character: routine(program, FLOATS[character]) for character, program in programs.items()}
    # CuPy takes the first one that operands can be converted to, so it would convert int8 to float16
    rules = [(c * inputs, "d") for c in INTEGERS] + [(c * inputs, c) for c in FLOATS]
    return create_ufunc(
        f"gpu_sigmoid_{programs['d'].name}",
        tuple((f"{ins}->{character * results}", routines[character]) for ins, character in rules),
        preamble=cuda_source(*programs.values()) + CONVERSIONS,
    )


def routine(program: Program, dtype: str) -> str:
    """Return the statements that compute a ufunc's results."""
    # CuPy may keep a float16 result in float
    rounded = "gpu_sigmoid::load_half(gpu_sigmoid::store_half({0}))" if dtype == "float16" else "{0}"
    called = f"gpu_sigmoid::{program.name}"
    arguments = [f"in{i}" for i in range(len(program.inputs))]
    if len(program.outputs) == 1:
        # cupyx.jit makes an expression of the text after the equals sign
        return "out0 = " + rounded.format(f"{called}({', '.join(arguments)})")
    results = [f"y{i}" for i in range(len(program.outputs))]
    stores = "; ".join(f"out{i} = y{i}" for i in range(len(results)))
    declared = f"{program.format.c_type} {', '.join(results)}"
    return f"{declared}; {called}({', '.join(arguments + results)}); {stores}"
