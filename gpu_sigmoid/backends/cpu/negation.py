"""-(a * b + c) on ARM, where LLVM makes one instruction of it that gives another zero.

FNMADD adds the negated terms. If a * b + c is 0.0, their sum may be 0.0 too, instead of -0.0. LLVM does so
for scalars only, so that a number's result would depend on its place in an array.
"""

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic

from gpu_sigmoid.backends.instructions import ON_ARM
from gpu_sigmoid.lowering.language import Value


def may_lose_its_zero(operation: Value) -> bool:
    return ON_ARM and operation.name == "neg" and has_fused_factor(operation.operands[0])


def has_fused_factor(value: Value) -> bool:
    """Return whether this is a multiply-add, or a product with one, since LLVM negates a factor instead."""
    return value.name == "fma" or (
        value.name in ("mul", "div") and any(map(has_fused_factor, value.operands))
    )


@intrinsic
def negated(context: Any, a: Any) -> Any:
    """Return -a."""
    return a(a), lambda context, builder, signature, values: negate(builder, *values)


def negate(builder: Any, a: Any) -> Any:
    """Multiply by -1, read from a variable, which LLVM cannot make a negation of, but can vectorise."""
    name = f"gpu_sigmoid_minus_one_{a.type}"
    module = builder.module
    if name not in module.globals:
        variable = ir.GlobalVariable(module, a.type, name)
        # another module could initialise it otherwise, as far as LLVM knows
        variable.linkage, variable.initializer = "weak", a.type(-1.0)
    minus_one = builder.load(module.globals[name])
    # it may be read once, before a loop
    minus_one.set_metadata("invariant.load", module.add_metadata([]))
    return builder.fmul(a, minus_one)
