"""Memory and functions by address, as Numba intrinsics, like pointers in a C program.

All numbers, addresses included, have 64 bits. `word` and `half` are 64 and 32 bits in memory.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gpu_sigmoid.backends.instructions import ON_ARM, ON_X86

WORD, HALF = ir.IntType(64), ir.IntType(32)


def pointer(builder: Any, address: Any, offset: Any, kind: Any) -> Any:
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def loader(kind: Any) -> Any:
    """Return the intrinsic (address, offset) -> value."""

    @intrinsic
    def load(context: Any, address: Any, offset: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            value = builder.load(pointer(builder, values[0], values[1], kind))
            return value if kind is WORD else builder.sext(value, WORD)

        return types.intp(types.intp, types.intp), emit

    return load


def storer(kind: Any) -> Any:
    """Return the intrinsic (address, offset, value)."""

    @intrinsic
    def store(context: Any, address: Any, offset: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            value = values[2] if kind is WORD else builder.trunc(values[2], kind)
            builder.store(value, pointer(builder, values[0], values[1], kind))
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, types.intp), emit

    return store


word, half = loader(WORD), loader(HALF)
set_word, set_half = storer(WORD), storer(HALF)


def changer(operation: str) -> Any:
    """Return the intrinsic (address, offset, value) -> previous value, which changes a word atomically."""

    @intrinsic
    def change(context: Any, address: Any, offset: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            place = pointer(builder, values[0], values[1], WORD)
            return builder.atomic_rmw(operation, place, values[2], "seq_cst")

        return types.intp(types.intp, types.intp, types.intp), emit

    return change


fetch_add, exchange = changer("add"), changer("xchg")


@intrinsic
def fetch(context: Any, address: Any, offset: Any) -> Any:
    """Return a word that other threads write, as it is now."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(pointer(builder, values[0], values[1], WORD), "seq_cst", 8)

    return types.intp(types.intp, types.intp), emit


@intrinsic
def pause(context: Any) -> Any:
    """Let the core rest for a moment while a thread spins, where the CPU has an instruction for that.

    On ARM this is `isb`, since `yield` does nothing on most cores of servers and laptops.
    """

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if ON_X86 or ON_ARM:
            name, operands = ("llvm.x86.sse2.pause", []) if ON_X86 else ("llvm.aarch64.isb", [HALF(15)])
            kind = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), operands)
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic(prefer_literal=True)
def words(context: Any, count: Any) -> Any:
    """Return the address of `count` (a literal) words on the stack, the same in every turn of a loop."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.ptrtoint(cgutils.alloca_once(builder, WORD, size=count.literal_value), WORD)

    return types.intp(count), emit


@intrinsic
def call(context: Any, function: Any, operands: Any) -> Any:
    """Call a C function by its address, with words; return its result, if any, as a word."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arguments = cgutils.unpack_tuple(builder, values[1])
        kind = ir.FunctionType(WORD, [WORD] * len(arguments))
        return builder.call(builder.inttoptr(values[0], kind.as_pointer()), arguments)

    return types.intp(types.intp, operands), emit


def symbol(name: str) -> Any:
    """Return the intrinsic () -> address of a symbol named by `llvmlite.binding.add_symbol`.

    The code refers to the name, so that on disk it contains no address of the compiling process.
    """

    @intrinsic
    def address(context: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            variable = builder.module.globals.get(name) or ir.GlobalVariable(builder.module, WORD, name)
            return builder.ptrtoint(variable, WORD)

        return types.intp(), emit

    return address


def library(name: str, result: Any) -> Any:
    """Return the intrinsic (word) -> `result` for a function of the C library."""

    @intrinsic
    def function(context: Any, operand: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = ir.FunctionType(WORD if result is types.intp else ir.VoidType(), [WORD])
            returned = builder.call(cgutils.get_or_insert_function(builder.module, kind, name), values)
            return returned if result is types.intp else context.get_dummy_value()

        return result(types.intp), emit

    return function


malloc, free = library("malloc", types.intp), library("free", types.void)
