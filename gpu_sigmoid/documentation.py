"""The docstrings of the public functions and their methods, which say their bounds.

They are numpydoc's, for `help` and for the pages that docs/ makes of them.
"""

from collections.abc import Iterable
from typing import Any

from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.modes import MEASURED

TEMPLATE = """\
{summary}

Parameters
----------
{parameters}

Returns
-------
{returns}
    Of the inputs' broadcast shape, in a new array of their library, or in `out`. float16,
    bfloat16, float32 and float64 keep their dtype (several are promoted by NumPy's rules);
    bool and integers give float64 (torch and JAX: their default).

Raises
------
TypeError
    For complex, longdouble, object and string dtypes, for types of array that are not
    supported, and for arrays in different places: nothing is moved between host and GPU.
ValueError
    If shapes do not broadcast, or `out` is read-only or of another shape.
RuntimeError
    If an array lies on a GPU and none can be used. It says why.

Notes
-----
{notes}

Largest error, in units in the last place of the result, against the definition in
higher precision:

{bounds}

Examples
--------
{examples}
"""
OUT = "out : array or None, keyword only\n    Where the result goes; an input itself will do."
OUTS = (
    "out : tuple of arrays or None, keyword only\n"
    "    Where the results go, nested as they are; an input itself will do, and None for a new array."
)
PARAMETERS = {
    "x": "x : array_like\n    Any shape.",
    "target": "target : array_like\n    Usually in [0, 1]; broadcast against `x`.",
    "pos_weight": "pos_weight : number or array, keyword only\n"
    "    What a target of 1 counts for; broadcast against `x`. Without it: 1.",
    "beta": "beta : number or array, keyword only\n    The steepness; broadcast against `x`. Without it: 1.",
    "a": "a : array_like\n    Any shape.",
    "b": "b : array_like\n    Broadcast against `a`.",
    "cotangent": "cotangent : array_like\n    The gradient of the value; broadcast against the others.",
}
"""What is said of an operand, by its name."""

SUMMARIES = {
    "grad": "The derivative of {label} by {by}.",
    "grad2": "The second derivative of {label} by {by}.",
    "value_and_grad": "The value of {label} and its derivative by {by}, from one pass.",
    "vjp": "The derivative of {label} by {by}, times a cotangent, from one pass.",
}
OF_SEVERAL = {name: text.replace("derivative", "derivatives") for name, text in SUMMARIES.items()}
PRODUCT = "The product does not underflow where the derivative alone would."


def documentation(method: Any) -> str:
    """Return the docstring of a function, or of one of its public methods."""
    names = [*method.operands, *filter(None, [method.parameter])]
    return TEMPLATE.format(
        summary=summary(method),
        parameters="\n".join([*map(described, names), OUTS if len(method.mode.partials) > 1 else OUT]),
        returns=returned(method),
        notes=notes(method),
        bounds=bounds(method),
        examples=examples(method),
    )


def summary(method: Any) -> str:
    """Return what a method computes, in one line."""
    function, gradients = method.function, method.function.signature.gradients
    if method.mode.name == "value":
        return function.definition
    by = " and ".join(f"`{name}`" for name in function.operands[:gradients])
    return (OF_SEVERAL if gradients > 1 else SUMMARIES)[method.mode.name].format(label=function.label, by=by)


def notes(method: Any) -> str:
    function, other = method.function, method.parametrised
    if method.mode.name != "value":
        where = f"The notes of `{function.label}` say where these bounds hold."
        return f"{PRODUCT}\n{where}" if method.mode.weighted else where
    if other is None:
        return function.limits
    return f"{function.limits}\n\nWith `{method.parameter}`: {other.definition}\n{other.limits}"


def described(operand: str) -> str:
    return PARAMETERS.get(operand, f"{operand} : array_like")


def results(method: Any) -> list[str]:
    """Return names for a method's results, those in a tuple within the results as one."""
    operands = method.operands
    names = ["_".join(["by", *(operands[i] for i in partial)]) for partial in method.mode.partials]
    gradients = names if method.function.signature.gradients > 1 else [method.mode.name]
    if method.mode.name != "value_and_grad":
        return gradients if method.mode.name != "value" else ["value"]
    return ["value", f"({', '.join(gradients[1:])})" if len(gradients) > 1 else "grad"]


def returned(method: Any) -> str:
    names = results(method)
    kinds = ["tuple of arrays" if name.startswith("(") else "array" for name in names]
    return "\n".join(f"{name} : {kind}" for name, kind in zip(names, kinds, strict=True))


def bounds(method: Any) -> str:
    """Return the table of a method's bounds; a function's has those of all its methods."""
    measured = {"value": MEASURED, "value_and_grad": ("value", "grad")}.get(
        method.mode.name, (method.mode.name,)
    )
    of = {"": method.function}
    if method.parametrised is not None:
        of[f", {method.parameter}="] = method.parametrised.function
    rows = [
        (mode + kind, *(f"{function.bounds[mode, dtype].ulp}" for dtype in DTYPES))
        for kind, function in of.items()
        for mode in measured
    ]
    return table(("ULP", *DTYPES), rows)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table that reads as text too."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([rule, text[0], rule, *text[1:], rule])


def examples(method: Any) -> str:
    """Return lines that doctest runs: of a function its own, of a method how it is called."""
    function = method.function
    if method.mode.name == "value":
        shown = [function.example, *([method.parametrised.example] if method.parametrised else [])]
        lines = [">>> import gpu_sigmoid as gs", *(f">>> {example}" for example in shown)]
        return "\n".join(lines) if all(shown) else ""
    below_zero = "[-0.75, -0.25]" if function.domain[1] <= 0.0 else "[0.25, 0.75]"
    lines = [
        "import numpy as np",
        "import gpu_sigmoid as gs",
        *(f"{name} = np.array({below_zero}, dtype=np.float32)" for name in method.operands),
        f"{', '.join(results(method))} = gs.{method.label}({', '.join(method.operands)})",
    ]
    last = results(method)[-1].strip("()").split(", ")[-1]
    return "\n".join([*(f">>> {line}" for line in lines), f">>> {last}.dtype", "dtype('float32')"])
