"""The language of formulas: values that record the operations on them.

`trace` runs a formula once on `Value`s, which records its operations in a `Graph` and shares equal ones.
`gpu_sigmoid.lowering` first checks that the source is in the subset, and later prints the graph for a
target.
"""

import inspect
import struct
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from gpu_sigmoid.lowering.constants import FLOAT32, Constant, Format, Polynomial
from gpu_sigmoid.lowering.miscompiled import complaint
from gpu_sigmoid.lowering.primitives import OVERLOADS, Primitive

NOTHING = (-0.0).hex()
"""The constant used as a low part if there is none."""


class FormulaError(SyntaxError):
    """A formula contains something that cannot be lowered; the error has file and line."""


class Graph:
    """The operations of a formula in one format, each distinct one once.

    `narrowed` says that results will be rounded again, to a 16-bit format; `weighted` that the derivative
    will be multiplied by a cotangent; `value_alone` that no derivative is computed.
    """

    def __init__(
        self, format: Format, narrowed: bool = False, weighted: bool = False, value_alone: bool = False
    ) -> None:
        self.format = format
        self.narrowed = narrowed
        self.value_alone = value_alone
        self._values: dict[tuple, Value] = {}
        self.cotangent = self.input("cotangent") if weighted else None

    def _intern(self, kind: str, name: str, operands: tuple["Value", ...], payload: Any = None) -> "Value":
        key = (kind, name, tuple(map(id, operands)), payload)
        return self._values.setdefault(key, Value(self, kind, name, operands, payload))

    def input(self, name: str) -> "Value":
        return self._intern("f", name, ())

    def apply(self, name: str, *operands: Any) -> "Value":
        """Return primitive `name` of operands; numbers take the type of their position."""
        floats = any(isinstance(o, Value) and o.kind == "f" for o in operands)
        integer = not floats and any(isinstance(o, Value) and o.kind == "i" for o in operands)
        values = tuple(self.value(o, integer) for o in operands)
        # What is added or multiplied by `NOTHING` is left out, so that a formula has one body with and
        # without a low part: x + -0.0 is x, either zero and nan too.
        if name == "add" and values[1].payload == NOTHING:
            return values[0]
        if name == "mul" and values[0].payload == NOTHING:
            return values[0]
        if name == "fma" and values[2].payload == NOTHING:
            return self.apply("mul", *values[:2])
        primitive = OVERLOADS.get((name, "".join(v.kind for v in values)))
        if primitive is None:
            kinds = ", ".join({"f": "float", "i": "integer", "b": "truth value"}[v.kind] for v in values)
            raise error(f"no primitive {name}({kinds})")
        if message := complaint(name, values):
            raise error(message)
        return self._intern(primitive.result, name, values)

    def value(self, operand: Any, integer: bool = False) -> "Value":
        """Return an operand, or a number as a constant of the graph."""
        return operand if isinstance(operand, Value) else self._number(operand, integer)

    def _number(self, operand: Any, integer: bool) -> "Value":
        number = operand.of(self.format) if isinstance(operand, Constant) else operand
        if integer and isinstance(number, int):
            return self._intern("i", "constant", (), number % 2**self.format.bits)
        if integer or not isinstance(number, int | float):
            raise error(f"{operand!r} is not a {'whole ' if integer else ''}number")
        if not isinstance(operand, Constant) and not exact_in_float32(number):
            raise error(f"{operand!r} is not exact in float32: make it a Constant")
        # Keyed by its text, since 0.0 == -0.0
        return self._intern("f", "constant", (), float(number).hex())


def binary(name: str, reflected: bool = False) -> Callable[["Value", Any], "Value"]:
    """Return the method that records an operation on two operands."""
    if reflected:
        return lambda self, other: self.graph.apply(name, other, self)
    return lambda self, other: self.graph.apply(name, self, other)


class Value:
    """An operand: an input, a constant or the result of a primitive."""

    def __init__(
        self, graph: Graph, kind: str, name: str, operands: tuple["Value", ...], payload: Any
    ) -> None:
        self.graph, self.kind, self.name, self.operands, self.payload = graph, kind, name, operands, payload

    @property
    def primitive(self) -> Primitive:
        """The primitive whose result this is."""
        return OVERLOADS[self.name, "".join(o.kind for o in self.operands)]

    __add__, __radd__ = binary("add"), binary("add", reflected=True)
    __sub__, __rsub__ = binary("sub"), binary("sub", reflected=True)
    __mul__, __rmul__ = binary("mul"), binary("mul", reflected=True)
    __truediv__ = binary("div")
    __and__, __or__, __xor__ = binary("and_"), binary("or_"), binary("xor")
    __lshift__, __rshift__ = binary("shl"), binary("shr")
    __lt__, __gt__ = binary("lt"), binary("lt", reflected=True)
    __le__, __ge__ = binary("le"), binary("le", reflected=True)
    __eq__ = binary("eq")  # type: ignore[assignment]
    __hash__ = object.__hash__

    def __rtruediv__(self, other: Any) -> "Value":
        return self.graph.apply("reciprocal", self) if other == 1.0 else self.graph.apply("div", other, self)

    def __neg__(self) -> "Value":
        return self.graph.apply("neg", self)

    def __abs__(self) -> "Value":
        return self.graph.apply("abs", self)

    def __bool__(self) -> bool:
        raise error("a formula cannot branch on its data: use where()")


_traced: ContextVar[Graph] = ContextVar("traced")


def trace(formula: Callable, graph: Graph) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """Run a formula on inputs of `graph`; return them, a cotangent last, and the jet."""
    inputs = [graph.input(name) for name in inspect.signature(formula).parameters]
    token = _traced.set(graph)
    try:
        results = formula(*inputs)
    finally:
        _traced.reset(token)
    # a derivative may be a number, such as that of a linear term
    jet = tuple(graph.value(r) for r in (results if isinstance(results, tuple) else (results,)))
    return (*inputs, *([] if graph.cotangent is None else [graph.cotangent])), jet


def fma(a: Any, b: Any, c: Any) -> Value:
    """Return a * b + c, rounded once."""
    return _traced.get().apply("fma", a, b, c)


def where(condition: Value, a: Any, b: Any) -> Value:
    """Return a where the condition holds, else b. Both are computed."""
    return _traced.get().apply("where", condition, a, b)


def bits(a: Value) -> Value:
    """Return the bit pattern of a float."""
    return _traced.get().apply("bits", a)


def from_bits(a: Value) -> Value:
    """Return the float with a bit pattern."""
    return _traced.get().apply("from_bits", a)


def polynomial(x: Value, coefficients: Polynomial) -> Value:
    """Return the polynomial's value at x, by Horner's rule in `fma`s."""
    total: Any
    *lower, total = coefficients.of(_traced.get().format)
    for c in reversed(lower):
        total = fma(total, x, c)
    return total


def polynomial_in_pairs(x: Value, coefficients: Polynomial) -> Value:
    """Return the polynomial's value at x, by Estrin's scheme, with fewer dependent steps."""
    terms: list[Any] = list(coefficients.of(_traced.get().format))
    while len(terms) > 1:
        pairs = [fma(odd, x, even) for even, odd in zip(terms[::2], terms[1::2], strict=False)]
        terms, x = pairs + terms[2 * len(pairs) :], x * x
    return terms[0]


def if_narrowed(narrowed: Any, otherwise: Any) -> Any:
    """Return the first if results will be rounded again, to 16 bits, otherwise the second."""
    return narrowed if _traced.get().narrowed else otherwise


def if_float32(single: Any, double: Any) -> Any:
    """Return the first if the formula is computed in float32, otherwise the second."""
    return single if _traced.get().format is FLOAT32 else double


def if_value_alone(alone: Any, otherwise: Any) -> Any:
    """Return the first if only the value is computed, otherwise the second: the value's bits are the same."""
    return alone if _traced.get().value_alone else otherwise


def if_weighted(weighted: Any, otherwise: Any) -> Any:
    """Return the first if the derivative is multiplied by a cotangent, otherwise the second."""
    return otherwise if _traced.get().cotangent is None else weighted


def times_cotangent(a: Any) -> Any:
    """Return a times the cotangent if the derivative is multiplied by one, otherwise a.

    A formula calls it on a factor of its derivative, before the factor that would make the product under-
    or overflow. If a formula does not call it, its derivative is multiplied at the end.
    """
    cotangent = _traced.get().cotangent
    return a if cotangent is None else cotangent * a


def cotangent() -> Value:
    """Return the cotangent, or 1 if there is none."""
    graph = _traced.get()
    return graph.value(1.0) if graph.cotangent is None else graph.cotangent


FUNCTIONS = (
    *(abs, fma, where, bits, from_bits, polynomial, polynomial_in_pairs),
    *(if_float32, if_narrowed, if_value_alone, if_weighted, cotangent, times_cotangent),
)


def exact_in_float32(number: float) -> bool:
    # struct rounds to nearest and raises on overflow
    return struct.unpack("f", struct.pack("f", number))[0] == number


def error(message: str) -> FormulaError:
    """Return the error with the formula's line that is being run."""
    frame = sys._getframe(1)
    while frame.f_back and frame.f_code.co_filename == error.__code__.co_filename:
        frame = frame.f_back
    return FormulaError(message, (frame.f_code.co_filename, frame.f_lineno, None, None))


def place_of(formula: Callable) -> tuple:
    """Return a formula's location in the form of a SyntaxError."""
    code = formula.__code__
    return (code.co_filename, code.co_firstlineno, None, None)
