"""Operands and results of the methods of any function."""

from collections.abc import Iterable
from typing import Any

import numpy as np

import gpu_sigmoid as gs
from gpu_sigmoid.device_check.subject import as_tuple as as_tuple
from gpu_sigmoid.lowering import lower
from gpu_sigmoid.lowering.constants import FLOAT32
from gpu_sigmoid.modes import PUBLIC, Mode, Signature
from gpu_sigmoid.registry import FUNCTIONS


def mode(name: str) -> Mode:
    """Return a public mode of functions of one differentiable operand."""
    return Signature(("x",)).modes[name]


def operands(function: Any, name: str, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return x and the other operands of the method of mode `name`, in the dtype of x."""
    more = len(function.methods[name].operands) - 1
    return (x, *(np.full_like(x, value) for value in (0.25, 3.0, 2.0)[:more]))


def in_domain(function: Any, x: np.ndarray) -> np.ndarray:
    low, high = function.domain
    with np.errstate(invalid="ignore"):
        return x[(x > low) & (x < high)]


def side(function: Any) -> int:
    """Return the sign that brings numbers in (0, 1) into a function's domain."""
    return -1 if function.domain[1] == 0.0 else 1


def interval(function: Any) -> tuple[float, float]:
    """Return the ends of an interval in a function's domain, within 20 of 0."""
    low, high = function.domain
    return max(low + 0.01, -20.0), min(high - 0.01, 20.0)


def single_results(method: Any) -> list:
    """Return the methods that compute a method's results one by one."""
    return [method.function.methods[mode.name] for mode in method.mode.single_results]


def reads_first(method: Any) -> bool:
    """Return whether a method's result depends on its first operand."""
    program = lower(method.formula, method.mode, FLOAT32)
    used = {operand for operation in program.operations for operand in operation.operands}
    return program.inputs[0] in used | {*program.outputs}


def by_first(result: Any) -> Any:
    """Return the derivative by the first operand, which may be one of several results."""
    return as_tuple(result)[0]


def of_each_signature() -> dict[str, Any]:
    """Return, by name, one function for each combination of numbers of operands and of derivatives.

    They suffice for tests of layouts: what is computed does not matter to how arrays are read and written.
    """
    public_first = [*gs.FUNCTIONS.values(), *FUNCTIONS.values()]
    found = {(len(f.operands), f.signature.gradients): f for f in reversed(public_first)}
    return {f.__name__: f for f in reversed(found.values())}


def methods_of_several_operands(functions: Iterable[Any] | None = None) -> list:
    """Return the methods with several operands, of these functions or of one of each signature."""
    chosen = of_each_signature().values() if functions is None else functions
    methods = [function.methods[name] for function in chosen for name in PUBLIC]
    return [method for method in methods if len(method.operands) > 1]
