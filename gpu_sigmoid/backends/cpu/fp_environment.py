"""The floating-point environment that kernels run in: always the default, whatever the caller's is.

Another library may have set the thread to flush subnormals or to round in another direction. Flags that
kernels raise must not cause warnings: NumPy clears the flags before a loop, and warns about those that are
set after it.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils

from gpu_sigmoid.backends.instructions import ON_ARM, ON_X86

# Round to nearest, keep subnormals, trap nothing; in MXCSR, which also holds the flags, no flag is set.
MXCSR_DEFAULT, FPCR_DEFAULT = 0x1F80, 0


def enter(builder: Any) -> Any:
    """Set the default environment, and return what `leave` needs to restore the caller's."""
    if ON_X86:
        saved = cgutils.alloca_once(builder, ir.IntType(32))
        mxcsr(builder, "stmxcsr", saved)
        mxcsr(builder, "ldmxcsr", cgutils.alloca_once_value(builder, ir.IntType(32)(MXCSR_DEFAULT)))
        return saved
    if ON_ARM:
        saved = call(builder, "llvm.aarch64.get.fpcr", ir.IntType(64))
        call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), saved.type(FPCR_DEFAULT))
        return saved
    return None


def leave(builder: Any, saved: Any) -> None:
    """Restore the environment: on x86 with its flags, elsewhere with all flags cleared."""
    if ON_X86:
        mxcsr(builder, "ldmxcsr", saved)
        return
    if ON_ARM:
        call(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), saved)
    call(builder, "feclearexcept", ir.IntType(32), ir.IntType(32)(-1))


def mxcsr(builder: Any, operation: str, slot: Any) -> None:
    place = builder.bitcast(slot, ir.IntType(8).as_pointer())
    call(builder, f"llvm.x86.sse.{operation}", ir.VoidType(), place)


def call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    function_type = ir.FunctionType(result, [a.type for a in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, function_type, name), arguments)
