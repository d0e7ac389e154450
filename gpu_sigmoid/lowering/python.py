"""A program as a typed Python function, for Numba to compile.

Every operation is a call of a primitive and every constant a typed global. Plain operators and literals
would be wrong, because for Numba `1.0 + float32` is a float64.
"""

from collections.abc import Callable

from gpu_sigmoid.lowering.language import Value
from gpu_sigmoid.lowering.program import Program


def python_source(program: Program, called: Callable[[Value], str] = lambda operation: operation.name) -> str:
    """Return the source of a function `scalar`, in which `called` names what computes an operation.

    These names must be in scope, and `floating` and `integer`, the scalar types of the program's width.
    """
    name = program.names
    lines = []
    for constant in program.constants:
        value = constant.payload
        text = f'floating(float.fromhex("{value}"))' if constant.kind == "f" else f"integer({value:#x})"
        lines.append(f"{name[constant]} = {text}")
    lines.append(f"def scalar({', '.join(name[v] for v in program.inputs)}):")
    for operation in program.operations:
        operands = ", ".join(name[o] for o in operation.operands)
        lines.append(f"    {name[operation]} = {called(operation)}({operands})")
    lines.append(f"    return {', '.join(name[v] for v in program.outputs)}")
    return "\n".join(lines) + "\n"
