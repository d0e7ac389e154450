"""The building blocks of a kernel's loop as Numba intrinsics, each of a few LLVM instructions."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gpu_sigmoid.backends.conversions import CONVERSIONS
from gpu_sigmoid.backends.cpu.multiply_add import emulated, rounded_twice
from gpu_sigmoid.backends.instructions import ON_X86, fuses_multiply_add
from gpu_sigmoid.lowering.primitives import ARITY, OVERLOADS

KINDS = {types.float32: "f", types.float64: "f", types.uint32: "i", types.uint64: "i", types.boolean: "b"}
INTEGERS = {types.float32: types.uint32, types.float64: types.uint64}
FLOATS = {integer: floating for floating, integer in INTEGERS.items()}
LONGEST_VECTOR = 64
"""In bytes."""


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
            is_call = name == "fma" and not fuses_multiply_add()
            return emulated(builder, *values) if is_call else overload.llvm(builder, *values)

        return result(*operands), emit

    if ARITY[name] == 1:
        return intrinsic(lambda context, a: typed(context, (a,)))
    if ARITY[name] == 2:
        return intrinsic(lambda context, a, b: typed(context, (a, b)))
    return intrinsic(lambda context, a, b, c: typed(context, (a, b, c)))


@intrinsic
def fma_by_float64(context: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, rounded to float64 and then to float32."""
    return c(a, b, c), lambda context, builder, signature, values: rounded_twice(builder, *values)[1]


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
def offset(context: Any, pointer: Any, count: Any) -> Any:
    """Return the pointer moved by a count of bytes."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return cgutils.pointer_add(builder, *values)

    return pointer(pointer, types.intp), emit


@intrinsic(prefer_literal=True)
def tile(context: Any, like: Any, count: Any) -> Any:
    """Return a buffer on the stack for `count` elements (a literal) of a pointer's type.

    It is aligned to the longest vector, and with it the function's stack. What LLVM keeps there for want
    of registers would otherwise straddle two cache lines, which costs some kernels a tenth of their time.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        element = context.get_value_type(like.dtype)
        buffer = cgutils.alloca_once(builder, element, size=count.literal_value)
        buffer.align = LONGEST_VECTOR
        return buffer

    return like(like, count), emit


def in_long_vectors(function: Any) -> None:
    """Let a function use 512-bit vectors and do not inline it; LLVM prefers 256 bits on many CPUs."""
    # set.add, since llvmlite accepts only attributes that it knows
    for attribute in ('"prefer-vector-width"="512"', '"min-legal-vector-width"="512"', "noinline"):
        set.add(function.attributes, attribute)


@intrinsic
def vector_loop(context: Any) -> Any:
    """Let the calling function use long vectors."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        in_long_vectors(builder.function)
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic(prefer_literal=True)
def interleaved(context: Any, count: Any, lanes: Any) -> Any:
    """Let the loop that this call ends interleave `count` vectors of `lanes` elements (literals).

    With 0 lanes LLVM chooses.

    A kernel is one long chain of dependent operations. The processor does not look far enough ahead
    to find the operations of the next vector unless they are interleaved, and LLVM interleaves only
    short loops by itself.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = ir.IntType(32)
        width = [("llvm.loop.vectorize.width", word(lanes.literal_value))] if lanes.literal_value else []
        describe_loop(builder, ("llvm.loop.interleave.count", word(count.literal_value)), *width)
        return context.get_dummy_value()

    return types.void(count, lanes), emit


@intrinsic(prefer_literal=True)
def short_vectors(context: Any, lanes: Any) -> Any:
    """Let the loop that this call ends, over few elements, use vectors of `lanes` elements (a literal)."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = ir.IntType(32)
        describe_loop(
            builder,
            ("llvm.loop.vectorize.width", word(lanes.literal_value)),
            ("llvm.loop.interleave.count", word(1)),
            ("llvm.loop.unroll.disable",),
        )
        return context.get_dummy_value()

    return types.void(lanes), emit


def one_by_one() -> tuple:
    """Return the metadata for a loop without vectors that is unrolled over several elements."""
    return ("llvm.loop.vectorize.enable", ir.IntType(1)(0)), ("llvm.loop.unroll.count", ir.IntType(32)(8))


def describe_loop(builder: Any, *properties: tuple[Any, ...]) -> None:
    """Attach metadata about a loop to the branch that is built next, its back edge."""
    branch = builder.branch

    def back_edge(target: Any) -> Any:
        builder.branch = branch
        edge = branch(target)
        add = builder.module.add_metadata
        loop = add([add(part) for part in properties])
        # a loop's identifier refers to itself, which llvmlite cannot express
        loop.operands = (loop, *loop.operands)
        edge.set_metadata("llvm.loop", loop)
        return edge

    builder.branch = back_edge


@intrinsic(prefer_literal=True)
def put(context: Any, target: Any, source: Any, count: Any, streaming: Any) -> Any:
    """Store a tile of `count` elements (a literal) at a pointer, as vectors.

    If streaming, the stores bypass the caches, and the pointer must be a multiple of 64 bytes.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        to, origin, _, stream = values
        size = context.get_abi_sizeof(to.type.pointee)
        # the scalar function's vectors are stored as vectors of 512 bits, so that the tile stays in registers
        lanes = min(16, 64 // size)
        vector = ir.VectorType(to.type.pointee, lanes).as_pointer()
        to, origin = builder.bitcast(to, vector), builder.bitcast(origin, vector)
        indices = [ir.IntType(64)(k) for k in range(count.literal_value // lanes)]
        vectors = [builder.load(builder.gep(origin, [k]), align=size) for k in indices]
        with builder.if_else(stream) as (past_the_caches, through_them):
            with past_the_caches:
                for k, v in zip(indices, vectors, strict=True):
                    stored = builder.store(v, builder.gep(to, [k]), align=lanes * size)
                    stored.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
            with through_them:
                for k, v in zip(indices, vectors, strict=True):
                    builder.store(v, builder.gep(to, [k]), align=size)
        return context.get_dummy_value()

    return types.void(target, source, count, streaming), emit


@intrinsic(prefer_literal=True)
def prefetch(context: Any, pointer: Any, nbytes: Any, wanted: Any) -> Any:
    """Bring the lines of `nbytes` bytes (a literal) at a pointer into the first cache, if wanted."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        to_read, to_keep, data = word(0), word(3), word(1)
        start = builder.bitcast(values[0], byte)
        with builder.if_then(values[2]):
            for line in range(0, nbytes.literal_value, 64):
                place = builder.gep(start, [ir.IntType(64)(line)])
                builder.call(fetch, [place, to_read, to_keep, data])
        return context.get_dummy_value()

    return types.void(pointer, nbytes, wanted), emit


def finish_streaming(builder: Any) -> None:
    """Make stores that bypassed the caches visible to other threads before any later store."""
    if ON_X86:
        fence = ir.FunctionType(ir.VoidType(), [])
        builder.call(cgutils.get_or_insert_function(builder.module, fence, "llvm.x86.sse.sfence"), [])
    else:
        builder.fence("seq_cst")
