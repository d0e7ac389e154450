"""a * b + c rounded once, on a CPU without an instruction for it.

The C library's function takes a hundred times as long, and prevents a loop from being vectorised. This
is a call too, but of a function with variants for vectors, which LLVM calls in a vectorised loop. They
first compute a result that is right for most operands, and recompute a vector that contains others.
"""

from functools import cache
from typing import Any

from llvmlite import ir

from gpu_sigmoid.formulas import fused
from gpu_sigmoid.lowering import Program, lower_helper
from gpu_sigmoid.lowering.constants import FLOAT64
from gpu_sigmoid.lowering.llvm import constant, emit
from gpu_sigmoid.lowering.primitives import element, fabs, shaped

FLOAT, DOUBLE, WORD, LONG = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)
VARIANTS = {FLOAT: (4, 8, 16), DOUBLE: (2, 4, 8)}
"""Numbers of elements in a vector, which may take several of the CPU's vectors."""

PURE = ("nounwind", "willreturn", "readnone")


def emulated(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Emit a call of the function, and its definition unless the module has one.

    There are two functions: a constant operand that is an ordinary number needs fewer checks.
    """
    is_ordinary = isinstance(c, ir.Constant) and 2.0**-100 < abs(c.constant) < 2.0**100
    name = f"gpu_sigmoid_fused_{a.type}{'_ordinary' if is_ordinary else ''}"
    variants = {lanes: f"{name}_{lanes}" for lanes in VARIANTS[a.type]}
    if name not in builder.module.globals:
        define(builder.module, name, a.type, is_ordinary)
        for lanes, variant in variants.items():
            define(builder.module, variant, ir.VectorType(a.type, lanes), is_ordinary)
    call = builder.call(builder.module.globals[name], [a, b, c])
    mapping = ",".join(f"_ZGV_LLVM_N{lanes}vvv_{name}({variant})" for lanes, variant in variants.items())
    add(call.attributes, *PURE, f'"vector-function-abi-variant"="{mapping}"')
    return call


def add(attributes: Any, *names: str) -> None:
    for name in names:
        # llvmlite's own method accepts only attributes that it knows
        set.add(attributes, name)


def define(module: Any, name: str, operand: Any, is_ordinary: bool) -> None:
    function = ir.Function(module, ir.FunctionType(operand, [operand] * 3), name)
    # kept although nothing refers to a variant yet, and merged with those of other modules
    function.linkage = "weak_odr"
    add(function.attributes, *PURE, "noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    if element(operand) == FLOAT:
        result, doubtful = narrow(builder, *function.args, is_ordinary=is_ordinary)
        with builder.if_then(in_any_lane(builder, doubtful), likely=False):
            doubtful = builder.and_(doubtful, is_inexact(builder, *function.args))
            with builder.if_then(in_any_lane(builder, doubtful), likely=False):
                builder.ret(narrow_exact(builder, *function.args))
    else:
        result, doubtful = wide(builder, *function.args, is_ordinary=is_ordinary)
        with builder.if_then(in_any_lane(builder, doubtful), likely=False):
            builder.ret(wide_exact(builder, *function.args))
    builder.ret(result)


def in_any_lane(builder: Any, truth: Any) -> Any:
    if not isinstance(truth.type, ir.VectorType):
        return truth
    lanes = ir.IntType(truth.type.count)
    return builder.icmp_unsigned("!=", builder.bitcast(truth, lanes), lanes(0))


def narrow(builder: Any, a: Any, b: Any, c: Any, is_ordinary: bool) -> tuple[Any, Any]:
    """Emit the sum rounded to float64, then to float32; doubtful if the float64 may be a tie."""
    total, result = rounded_twice(builder, a, b, c)
    word = shaped(WORD, a.type)
    low = builder.trunc(builder.bitcast(total, shaped(LONG, a.type)), word)
    tie = builder.icmp_unsigned("==", builder.shl(low, constant(word, 3)), constant(word, 1 << 31))
    # a sum that is small compared with c is exact in float64
    if is_ordinary:
        return result, tie
    # Below the least normal number ties are at other places. A sum that rounds to 0 is exact in float64.
    twice = builder.shl(builder.bitcast(result, word), constant(word, 1))
    # as signed numbers, since SSE2 compares only those
    less_one = builder.add(twice, constant(word, 2**31 - 1))
    is_small = builder.icmp_signed("<", less_one, constant(word, 2**24 - 2**31))
    return result, builder.or_(tie, is_small)


def is_inexact(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Emit whether the sum is rounded in float64. If not, a tie is the exact sum's, which is common."""
    a, b, c = widened(builder, a, b, c)
    (error,) = emit(lowered(fused.error_narrow), builder, [a, b, c])
    return builder.fcmp_unordered("!=", error, constant(error.type, 0.0))


def narrow_exact(builder: Any, a: Any, b: Any, c: Any) -> Any:
    (result,) = emit(lowered(fused.fused_narrow), builder, widened(builder, a, b, c))
    return builder.fptrunc(result, a.type)


def wide(builder: Any, a: Any, b: Any, c: Any, is_ordinary: bool) -> tuple[Any, Any]:
    """Emit the sum rounded once; doubtful if the operands or the result are out of range."""
    result, size = emit(lowered(fused.fused_in_range), builder, [a, b, c])
    tiny, largest = (constant(a.type, bound.of(FLOAT64)) for bound in (fused.TINY, fused.LARGEST))
    doubtful = builder.fcmp_unordered(">", fabs(builder, result), largest)
    if is_ordinary:
        return result, doubtful
    is_tiny = builder.fcmp_ordered("<", size, tiny)
    for factor in (a, b):
        is_tiny = builder.and_(is_tiny, builder.fcmp_unordered("!=", factor, constant(a.type, 0.0)))
    return result, builder.or_(doubtful, is_tiny)


def wide_exact(builder: Any, a: Any, b: Any, c: Any) -> Any:
    (result,) = emit(lowered(fused.fused), builder, [a, b, c])
    return result


def rounded_twice(builder: Any, a: Any, b: Any, c: Any) -> tuple[Any, Any]:
    """Emit the sum rounded to float64, and that rounded to float32."""
    wide_a, wide_b, wide_c = widened(builder, a, b, c)
    total = builder.fadd(builder.fmul(wide_a, wide_b), wide_c)
    return total, builder.fptrunc(total, a.type)


def widened(builder: Any, *operands: Any) -> list[Any]:
    return [builder.fpext(operand, shaped(DOUBLE, operand.type)) for operand in operands]


@cache
def lowered(formula: Any) -> Program:
    return lower_helper(formula, FLOAT64)
