"""LLVM code written like Python: words, arithmetic, memory, loops and conditions.

Every value is a word of 64 bits, which may be an address, or a truth value. Numba would take ten times as
long to infer that from generic code.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Union

from llvmlite import ir
from numba.core import cgutils

from gpu_sigmoid.backends.cpu.intrinsics import in_long_vectors

WORD, BYTE = ir.IntType(64), ir.IntType(8)
Operand = Union["Value", int]


def instruction(name: str, *condition: str) -> Callable[["Value", Operand], "Value"]:
    """Return the method that emits an instruction on two operands."""

    def emitted(self: "Value", other: Operand) -> "Value":
        emit = getattr(self.builder, name)
        return Value(self.builder, emit(*condition, self.value, bare(other, self.value.type)))

    return emitted


class Value:
    """A word or a truth value that the code computes; words to be divided are not negative."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    __add__, __sub__, __mul__ = instruction("add"), instruction("sub"), instruction("mul")
    __floordiv__, __mod__ = instruction("udiv"), instruction("urem")
    __and__, __or__ = instruction("and_"), instruction("or_")
    __eq__ = instruction("icmp_signed", "==")  # type: ignore[assignment]
    __ne__ = instruction("icmp_signed", "!=")  # type: ignore[assignment]
    __lt__, __le__ = instruction("icmp_signed", "<"), instruction("icmp_signed", "<=")
    __ge__ = instruction("icmp_signed", ">=")

    def __neg__(self) -> "Value":
        return Value(self.builder, self.builder.neg(self.value))


def bare(operand: Any, kind: Any = WORD) -> Any:
    """Return the value as llvmlite represents it."""
    return operand.value if isinstance(operand, Value) else kind(operand)


class Variable:
    """A variable: a word or a truth value that changes."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        with builder.goto_entry_block():
            self.slot = builder.alloca(value.type)
        builder.store(value, self.slot)

    @property
    def value(self) -> Value:
        return Value(self.builder, self.builder.load(self.slot))

    def set(self, value: Operand) -> None:
        self.builder.store(bare(value, self.slot.type.pointee), self.slot)


class Writer:
    """Emits code at the position of an llvmlite builder."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def value(self, value: Any) -> Value:
        return Value(self.builder, bare(value) if isinstance(value, Value | int) else value)

    def truth(self, value: bool) -> Value:
        return Value(self.builder, ir.IntType(1)(value))

    def variable(self, value: Operand) -> Variable:
        return Variable(self.builder, bare(value))

    def choose(self, condition: Value, a: Operand, b: Operand) -> Value:
        return self.value(self.builder.select(condition.value, bare(a), bare(b)))

    def least(self, a: Operand, b: Value) -> Value:
        return self.choose(b <= a, b, a)

    def most(self, a: Operand, b: Value) -> Value:
        return self.choose(b <= a, a, b)

    def absolute(self, a: Value) -> Value:
        return self.choose(a < 0, -a, a)

    def pointer(self, address: Value, offset: Operand, kind: Any) -> Any:
        """Return a pointer to a `kind` at an offset in bytes, so that LLVM sees how it moves in a loop."""
        base = self.builder.inttoptr(address.value, BYTE.as_pointer())
        return self.builder.bitcast(self.builder.gep(base, [bare(offset)]), kind.as_pointer())

    def word(self, address: Value, index: Operand = 0) -> Value:
        return self.value(self.builder.load(self.pointer(address, self.value(index) * 8, WORD)))

    def set_word(self, address: Value, index: Operand, value: Operand) -> None:
        self.builder.store(bare(value), self.pointer(address, self.value(index) * 8, WORD))

    def room(self, size: int) -> Value:
        """Return the address, a multiple of 64, of `size` bytes on the stack."""
        with self.builder.goto_entry_block():
            place = self.builder.alloca(BYTE, size=WORD(size))
            place.align = 64
            return self.value(self.builder.ptrtoint(place, WORD))

    def load(self, address: Value, offset: Operand, size: int, lanes: int = 0) -> Any:
        """Return a number of `size` bytes, or a vector of so many lanes of them."""
        kind = ir.IntType(8 * size)
        pointer = self.pointer(address, offset, ir.VectorType(kind, lanes) if lanes else kind)
        return self.builder.load(pointer, align=size)

    def store(self, address: Value, offset: Operand, value: Any) -> None:
        """Store a number or a vector of numbers."""
        number = value.type.element if isinstance(value.type, ir.VectorType) else value.type
        self.builder.store(value, self.pointer(address, offset, value.type), align=number.width // 8)

    def shuffled(self, a: Any, b: Any, lanes: Iterable[int]) -> Any:
        """Return the vector of selected lanes of two concatenated vectors."""
        chosen = list(lanes)
        return self.builder.shuffle_vector(a, b, ir.VectorType(ir.IntType(32), len(chosen))(chosen))

    def reversed(self, vector: Any) -> Any:
        return self.shuffled(vector, vector, range(vector.type.count - 1, -1, -1))

    def splat(self, number: Any, lanes: int) -> Any:
        one = self.builder.insert_element(
            ir.VectorType(number.type, lanes)(ir.Undefined), number, ir.IntType(32)(0)
        )
        return self.shuffled(one, one, [0] * lanes)

    def call(self, function: Value, *operands: Operand) -> None:
        """Call a C function that returns nothing, by its address."""
        kind = ir.FunctionType(ir.VoidType(), [WORD] * len(operands))
        self.builder.call(self.builder.inttoptr(function.value, kind.as_pointer()), list(map(bare, operands)))

    def function(self, name: str, write: Callable[..., None], *operands: Operand) -> None:
        """Call a function of this module; `write(writer, *operands)` writes it, the first time."""
        module = self.builder.module
        function = module.globals.get(name)
        if function is None:
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD] * len(operands)), name)
            function.linkage = "internal"
            in_long_vectors(function)
            builder = ir.IRBuilder(function.append_basic_block())
            write(Writer(builder), *(Value(builder, argument) for argument in function.args))
            builder.ret_void()
        self.builder.call(function, list(map(bare, operands)))

    def when(self, condition: Value) -> Any:
        return self.builder.if_then(condition.value)

    def either(self, condition: Value) -> Any:
        return self.builder.if_else(condition.value)

    @contextmanager
    def count(self, stop: Operand, start: Operand = 0) -> Iterator[Value]:
        """Repeat with the numbers from `start` to below `stop`."""
        with cgutils.for_range(self.builder, bare(stop), bare(start), WORD) as loop:
            yield self.value(loop.index)

    @contextmanager
    def vectors(self, stop: Value, lanes: int) -> Iterator[Value]:
        """Repeat with the start of each vector of the elements below `stop`; the last vector ends there."""
        with self.count((stop + (lanes - 1)) // lanes) as number:
            yield self.least(stop - lanes, number * lanes)

    @contextmanager
    def repeat(self, condition: Callable[[], Value]) -> Iterator[None]:
        """Repeat while a condition holds."""
        check, body, end = (self.builder.append_basic_block() for _ in range(3))
        self.builder.branch(check)
        self.builder.position_at_end(check)
        self.builder.cbranch(condition().value, body, end)
        self.builder.position_at_end(body)
        yield
        self.builder.branch(check)
        self.builder.position_at_end(end)
