"""A program as LLVM instructions, on scalars or on vectors."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from gpu_sigmoid.lowering.constants import Format
from gpu_sigmoid.lowering.primitives import Primitive, shaped
from gpu_sigmoid.lowering.program import Program

Apply = Callable[[Primitive, Format, Any, list], Any]


def plainly(primitive: Primitive, format: Format, builder: Any, operands: list[Any]) -> Any:
    return primitive.llvm(builder, *operands)


def emit(program: Program, builder: Any, inputs: Any, apply: Apply = plainly) -> list[Any]:
    """Emit the program's operations on LLVM values, each by `apply`, and return its outputs."""
    values = dict(zip(program.inputs, inputs, strict=True))
    for value in program.constants:
        scalar = ir.IntType(program.format.bits) if value.kind == "i" else floating(program.format)
        number = value.payload if value.kind == "i" else float.fromhex(value.payload)
        values[value] = constant(shaped(scalar, inputs[0].type), number)
    for operation in program.operations:
        operands = [values[o] for o in operation.operands]
        values[operation] = apply(operation.primitive, program.format, builder, operands)
    return [values[output] for output in program.outputs]


def constant(type: Any, number: Any) -> Any:
    """Return a number, or a vector of the same number."""
    if isinstance(type, ir.VectorType):
        return ir.Constant(type, [ir.Constant(type.element, number)] * type.count)
    return ir.Constant(type, number)


def floating(format: Format) -> Any:
    return ir.FloatType() if format.bits == 32 else ir.DoubleType()
