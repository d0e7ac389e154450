"""What a kernel's loop is made of, as Numba intrinsics: one LLVM instruction or a few."""

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gpu_sigmoid.backends.conversions import CONVERSIONS
from gpu_sigmoid.lowering.primitives import ARITY, OVERLOADS

KINDS = {types.float32: "f", types.float64: "f", types.uint32: "i", types.uint64: "i", types.boolean: "b"}
INTEGERS = {types.float32: types.uint32, types.float64: types.uint64}
FLOATS = {integer: floating for floating, integer in INTEGERS.items()}


def primitive(name: str) -> Any:
    """Return the intrinsic for the primitive `name`, for all its overloads."""

    def typed(context: Any, operands: tuple) -> Any:
        overload = OVERLOADS[name, "".join(KINDS[o] for o in operands)]
        first = operands[-1]
        if overload.result == "b":
            result: Any = types.boolean
        elif overload.result == KINDS[first]:
            result = first
        else:
            result = INTEGERS.get(first) or FLOATS[first]

        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return overload.llvm(builder, *values)

        return result(*operands), emit

    if ARITY[name] == 1:
        return intrinsic(lambda context, a: typed(context, (a,)))
    if ARITY[name] == 2:
        return intrinsic(lambda context, a, b: typed(context, (a, b)))
    return intrinsic(lambda context, a, b, c: typed(context, (a, b, c)))


def load(dtype: str) -> Any:
    """Return the intrinsic (pointer, index) -> value that loads an element."""
    convert = CONVERSIONS.get(dtype, (None, None))[0]

    @intrinsic
    def load_element(context: Any, pointer: Any, index: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            element = builder.load(builder.gep(values[0], [values[1]], inbounds=True))
            return convert(builder, element) if convert else element

        result = types.float32 if convert else pointer.dtype
        return result(pointer, types.intp), emit

    return load_element


def store(dtype: str) -> Any:
    """Return the intrinsic (pointer, index, value) that stores an element."""
    convert = CONVERSIONS.get(dtype, (None, None))[1]

    @intrinsic
    def store_element(context: Any, pointer: Any, index: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            element = convert(builder, values[2]) if convert else values[2]
            builder.store(element, builder.gep(values[0], [values[1]], inbounds=True))
            return context.get_dummy_value()

        return types.void(pointer, types.intp, value), emit

    return store_element


@intrinsic
def move(context: Any, target: Any, target_offset: Any, source: Any, source_offset: Any) -> Any:
    """Copy the element at a byte offset to another byte offset."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        to, at, origin, origin_at = values
        element = builder.load(cgutils.pointer_add(builder, origin, origin_at))
        builder.store(element, cgutils.pointer_add(builder, to, at))
        return context.get_dummy_value()

    return types.void(target, types.intp, source, types.intp), emit


@intrinsic
def offset(context: Any, pointer: Any, count: Any) -> Any:
    """Return the pointer moved by a count of bytes."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return cgutils.pointer_add(builder, *values)

    return pointer(pointer, types.intp), emit


@intrinsic(prefer_literal=True)
def tile(context: Any, like: Any, count: Any) -> Any:
    """Return a buffer on the stack for `count` elements (a literal) of a pointer's type."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        element = context.get_value_type(like.dtype)
        return cgutils.alloca_once(builder, element, size=count.literal_value)

    if not isinstance(count, types.IntegerLiteral):
        return None
    return like(like, count), emit


@intrinsic
def same_address(context: Any, a: Any, b: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.icmp_unsigned("==", *values)

    return types.boolean(a, b), emit


@intrinsic
def vector_loop(context: Any) -> Any:
    """Let the calling function use 512-bit vectors, and keep it in one place.

    LLVM alone prefers 256 bits on many CPUs, and would vectorise each inlined copy.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        # set.add: llvmlite takes only attributes that it knows
        for attribute in ('"prefer-vector-width"="512"', '"min-legal-vector-width"="512"', "noinline"):
            set.add(builder.function.attributes, attribute)
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic(prefer_literal=True)
def interleaved(context: Any, count: Any) -> Any:
    """Let the loop that this call ends interleave the operations of `count` (a literal) vectors.

    A kernel is one long chain of dependent operations: the processor looks ahead over too
    few of them to find another vector's, unless they stand side by side. LLVM would
    interleave only short loops.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        branch = builder.branch

        def back_edge(target: Any) -> Any:
            builder.branch = branch
            edge = branch(target)
            add = builder.module.add_metadata
            loop = add([add(["llvm.loop.interleave.count", ir.IntType(32)(count.literal_value)])])
            # what identifies a loop refers to itself, which llvmlite cannot express
            loop.operands = (loop, *loop.operands)
            edge.set_metadata("llvm.loop", loop)
            return edge

        builder.branch = back_edge
        return context.get_dummy_value()

    if not isinstance(count, types.IntegerLiteral):
        return None
    return types.void(count), emit


# Round to nearest, subnormals kept, nothing trapped, no flag raised.
MXCSR_DEFAULT = 0x1F80
HAS_MXCSR = platform.machine().lower() in ("x86_64", "amd64")


@intrinsic
def enter_default_environment(context: Any) -> Any:
    """Return the floating-point environment and set the default one.

    Another library may have left the thread flushing subnormals.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        saved = cgutils.alloca_once(builder, ir.IntType(32))
        if HAS_MXCSR:
            mxcsr(builder, "stmxcsr", saved)
            default = cgutils.alloca_once_value(builder, ir.IntType(32)(MXCSR_DEFAULT))
            mxcsr(builder, "ldmxcsr", default)
        return builder.load(saved)

    return types.uint32(), emit


@intrinsic
def restore_environment(context: Any, saved: Any) -> Any:
    """Restore the environment, flags included: no warning is due for what a kernel does.

    NumPy clears the flags before a loop and warns by those it finds after it.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if HAS_MXCSR:
            mxcsr(builder, "ldmxcsr", cgutils.alloca_once_value(builder, values[0]))
        else:
            word = ir.IntType(32)
            clear = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(word, [word]), "feclearexcept"
            )
            builder.call(clear, [word(-1)])
        return context.get_dummy_value()

    return types.void(saved), emit


def mxcsr(builder: Any, operation: str, slot: Any) -> None:
    byte_pointer = ir.IntType(8).as_pointer()
    function_type = ir.FunctionType(ir.VoidType(), [byte_pointer])
    function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.x86.sse.{operation}")
    builder.call(function, [builder.bitcast(slot, byte_pointer)])
