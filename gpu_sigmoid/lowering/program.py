"""A mode of a formula in one format, as a list of operations ready to be printed."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from gpu_sigmoid.lowering.constants import FLOAT32, FORMATS, Format
from gpu_sigmoid.lowering.language import FormulaError, Graph, Value, place_of, trace
from gpu_sigmoid.lowering.subset import check
from gpu_sigmoid.modes import Mode, Partial, all_partials


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

    @property
    def names(self) -> dict[Value, str]:
        """Return the names of inputs, constants and operations, the same on every target."""
        return (
            {value: value.name for value in self.inputs}
            | {value: f"c{i}" for i, value in enumerate(self.constants)}
            | {value: f"v{i}" for i, value in enumerate(self.operations)}
        )


def lower(formula: Callable, mode: Mode, format: Format, narrowed: bool = False) -> Program:
    """Return the program that computes the results of `mode` of `formula` in `format`.

    `narrowed` says that its results will be rounded to a 16-bit format.

    Raises
    ------
    FormulaError
        If the formula is not in the subset, or does not return the value and all partial
        derivatives of first and second order. The error has the file and the line.
    """
    check(formula)
    graph = Graph(format, narrowed, mode.weighted, mode.partials == ((),))
    inputs, jet = trace(formula, graph)
    places = places_of(formula, len(jet))
    missing = [partial for partial in mode.partials if partial not in places]
    if missing or any(result.kind != "f" for result in jet):
        what = f"no derivative {missing[0]}" if missing else "a result that is no float"
        raise FormulaError(f"{formula.__name__} returns {what}", place_of(formula))
    outputs = tuple(jet[places[partial]] for partial in mode.partials)
    if mode.weighted:
        outputs = tuple(map(weighted, outputs))
    return Program(f"{formula.__name__}_{mode.name}", format, inputs, needed(outputs), outputs)


def lower_helper(formula: Callable, format: Format) -> Program:
    """Return the program that computes in `format` the results of a formula without derivatives."""
    check(formula)
    inputs, results = trace(formula, Graph(format))
    return Program(formula.__name__, format, inputs, needed(results), results)


def places_of(formula: Callable, count: int) -> dict[Partial, int]:
    """Return the position of each partial derivative among the `count` results of a formula."""
    for operands in range(len(inspect.signature(formula).parameters) + 1):
        order = all_partials(operands)
        if len(order) == count:
            return {partial: place for place, partial in enumerate(order)}
    raise FormulaError(
        f"{formula.__name__} returns {count} results; accepted are the value and all first and second "
        "derivatives: 3 by one operand, 6 by two",
        place_of(formula),
    )


def weighted(derivative: Value) -> Value:
    """Return the derivative times the cotangent, unless the formula has multiplied it already."""
    cotangent = derivative.graph.cotangent
    assert cotangent is not None
    inside = any(o is cotangent for operation in needed((derivative,)) for o in operation.operands)
    return derivative if inside else cotangent * derivative


def lower_for(formula: Callable, mode: Mode, dtype: str) -> Program:
    """Return the program for operands of `dtype`; 16-bit results are computed in float32 and rounded once.

    With one operand they are always the nearest float, because they are computed in two parts. With several
    operands few would differ, by a thousandth of a ULP, where float32's error decides between neighbours. So
    the form for results that are rounded again is used only if the formula's `narrows` says so: where terms
    cancel, the rest would lose more, and other formulas have a shorter form for 16 bits.
    """
    if dtype in FORMATS:
        return lower(formula, mode, FORMATS[dtype])
    operands = len(inspect.signature(formula).parameters) + mode.weighted
    return lower(formula, mode, FLOAT32, operands == 1 or hasattr(formula, "narrows"))


def needed(outputs: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the operations that the outputs depend on, operands first."""
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
