"""A program as LLVM instructions for NVVM, the compiler of `numba.cuda`.

NVVM contracts `a * b + c` unless told not to, and flushes subnormals under `fastmath`. These are options
of the calling kernel, but they do not affect inline PTX.
"""

from typing import Any

from llvmlite import ir

from gpu_sigmoid.lowering import llvm
from gpu_sigmoid.lowering.constants import Format
from gpu_sigmoid.lowering.llvm import floating
from gpu_sigmoid.lowering.primitives import Primitive
from gpu_sigmoid.lowering.program import Program


def emit(program: Program, builder: Any, inputs: Any) -> list[Any]:
    """Emit the program's operations on LLVM values and return its outputs."""
    return llvm.emit(program, builder, inputs, unaltered)


def unaltered(primitive: Primitive, format: Format, builder: Any, operands: list[Any]) -> Any:
    """Emit the primitive, as inline PTX if NVVM could alter it."""
    emit = inline if primitive.alterable else llvm.plainly
    return emit(primitive, format, builder, operands)


def inline(primitive: Primitive, format: Format, builder: Any, operands: list[Any]) -> Any:
    """Emit the primitive's PTX instruction, whose operands are all floats."""
    text = primitive.inline_ptx(format.ptx, "$")
    if primitive.result == "f":
        return assembly(builder, text, floating(format), format.constraint, operands)
    word = ir.IntType(32)
    return builder.icmp_unsigned("!=", assembly(builder, text, word, format.constraint, operands), word(0))


def assembly(builder: Any, text: str, result: Any, constraint: str, operands: list[Any]) -> Any:
    """Emit inline PTX that reads operands of one constraint and has no side effect."""
    letters = {ir.IntType(16): "h", ir.IntType(32): "r", ir.FloatType(): "f", ir.DoubleType(): "d"}
    constraints = ",".join([f"={letters[result]}", *[constraint] * len(operands)])
    function_type = ir.FunctionType(result, [o.type for o in operands])
    return builder.call(ir.InlineAsm(function_type, text, constraints), operands)
