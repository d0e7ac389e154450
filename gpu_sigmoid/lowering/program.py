"""A formula's component in one format, as a list of operations ready to be printed."""

from collections.abc import Callable
from dataclasses import dataclass

from gpu_sigmoid.lowering.constants import FLOAT32, FORMATS, Format
from gpu_sigmoid.lowering.language import Graph, Value, trace
from gpu_sigmoid.lowering.subset import check

COMPONENTS: dict[str, Callable[[tuple[Value, ...]], tuple[Value, ...]]] = {
    "value": lambda jet: (jet[0],),
    "grad": lambda jet: (jet[1],),
    "grad2": lambda jet: (jet[2],),
    "value_and_grad": lambda jet: (jet[0], jet[1]),
    "vjp": lambda jet: (weighted(jet[1]),),
}
"""What can be computed of a jet (value, first derivative, second derivative)."""


@dataclass(frozen=True)
class Program:
    """Straight-line code: `operations` in order, from `inputs` to `outputs`."""

    name: str
    format: Format
    inputs: tuple[Value, ...]
    operations: tuple[Value, ...]
    outputs: tuple[Value, ...]

    @property
    def constants(self) -> tuple[Value, ...]:
        """Return the constants used, each once."""
        operands = (
            o for operation in (*self.operations, *self.outputs) for o in (operation, *operation.operands)
        )
        return tuple(dict.fromkeys(o for o in operands if o.name == "constant"))


def lower(formula: Callable, component: str, format: Format, narrowed: bool = False) -> Program:
    """Return the program that computes `component` of `formula` in `format`.

    `narrowed` says that its results will be rounded to a 16-bit format.

    Raises
    ------
    FormulaError
        If the formula leaves the subset; it gives the file and the line.
    """
    check(formula)
    inputs, jet = trace(formula, Graph(format, narrowed, component == "vjp"))
    outputs = COMPONENTS[component](jet)
    return Program(f"{formula.__name__}_{component}", format, inputs, needed(outputs), outputs)


def weighted(derivative: Value) -> Value:
    """Return the derivative times the cotangent, which the formula may have put into it."""
    cotangent = derivative.graph.cotangent
    assert cotangent is not None
    inside = any(o is cotangent for operation in needed((derivative,)) for o in operation.operands)
    return derivative if inside else cotangent * derivative


def lower_for(formula: Callable, component: str, dtype: str) -> Program:
    """Return the program for operands of `dtype`; 16-bit results are computed in float32 and rounded once."""
    narrowed = dtype in ("float16", "bfloat16")
    return lower(formula, component, FLOAT32 if narrowed else FORMATS[dtype], narrowed)


def needed(outputs: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the operations that the outputs rest on, operands first."""
    order: dict[Value, None] = {}

    def visit(value: Value) -> None:
        if value not in order:
            for operand in value.operands:
                visit(operand)
            if value.operands:
                order[value] = None

    for output in outputs:
        visit(output)
    return tuple(order)
