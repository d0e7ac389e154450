"""From a mode of a formula and a dtype to a compiled ufunc."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import types

from gpu_sigmoid.backends.cpu import intrinsics
from gpu_sigmoid.backends.cpu.native import functions
from gpu_sigmoid.backends.cpu.negation import may_lose_its_zero, negated
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, TARGET
from gpu_sigmoid.backends.instructions import fuses_multiply_add
from gpu_sigmoid.lowering import Program, lower_for, primitives, python_source
from gpu_sigmoid.lowering.constants import FLOAT32, FLOAT64
from gpu_sigmoid.lowering.innocuous import may_be_rounded_twice
from gpu_sigmoid.lowering.language import Value
from gpu_sigmoid.modes import PARAMETERS, Mode

SCALARS = {FLOAT32: (np.float32, np.uint32), FLOAT64: (np.float64, np.uint64)}


def compile_ufunc(formula: Callable, mode: Mode, dtype: str) -> np.ufunc:
    """Return the ufunc that computes `mode` of `formula` on arrays of `dtype`."""
    program = lower_for(formula, mode, dtype)
    signature = signature_of(program, ELEMENT[dtype])
    number = next((i for i, value in enumerate(program.inputs) if value.name in PARAMETERS), None)
    make = numba.vectorize(
        [signature], target=TARGET, cache=True, number=number, operations=len(program.operations)
    )
    return make(scalar_function(program, dtype))


def signature_of(program: Program, element: Any) -> Any:
    outputs = len(program.outputs)
    result = element if outputs == 1 else types.UniTuple(element, outputs)
    return result(*[element] * len(program.inputs))


def scalar_function(program: Program, dtype: str) -> FunctionType:
    """Return the program as a Python function of scalars, for Numba to compile."""
    name = f"{program.name}_{dtype}"
    scalar = functions(python_source(program, called), scope(program), name)["scalar"]
    scalar.__name__ = name
    return scalar


def called(operation: Value) -> str:
    """Return the name in `scope` of what computes an operation."""
    if not fuses_multiply_add() and may_be_rounded_twice(operation):
        return "fma_by_float64"
    return "negated" if may_lose_its_zero(operation) else operation.name


def scope(program: Program) -> dict[str, Any]:
    """Return the names that a program's Python source refers to."""
    floating, integer = SCALARS[program.format]
    return {
        "floating": floating,
        "integer": integer,
        "negated": negated,
        "fma_by_float64": intrinsics.fma_by_float64,
        **{name: intrinsics.primitive(name) for name in primitives.ARITY},
    }
