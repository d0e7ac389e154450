"""The docstrings of the public functions and their methods, with their bounds.

They follow numpydoc, for `help` and for the pages built from docs/.
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
    For complex, longdouble, object and string dtypes, for unsupported types of array, and
    for arrays in different places: nothing is moved between host and GPU.
ValueError
    If shapes do not broadcast, or `out` is read-only or of another shape.
RuntimeError
    If an array is on a GPU but no GPU can be used. The message says why.

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
OUT = "out : array or None, keyword only\n    Array for the result; it may be an input."
OUTS = (
    "out : tuple of arrays or None, keyword only\n"
    "    Arrays for the results, nested like them; each may be an input, or None for a new array."
)
DESCRIPTIONS = {
    "x": "x : array_like\n    Any shape.",
    "target": "target : array_like\n    Usually in [0, 1]; broadcast against `x`.",
    "pos_weight": "pos_weight : number or array, keyword only\n"
    "    The weight of a target of 1; broadcast against `x`. Default: 1.",
    "beta": "beta : number or array, keyword only\n    The steepness; broadcast against `x`. Default: 1.",
    "a": "a : array_like\n    Any shape.",
    "b": "b : array_like\n    Broadcast against `a`.",
    "cotangent": "cotangent : array_like\n"
    "    The gradient with respect to the value; broadcast against the others.",
}
"""The operands' entries under Parameters."""

SUMMARIES = {
    "grad": "The derivative of {label} with respect to {by}.",
    "grad2": "The second derivative of {label} with respect to {by}.",
    "value_and_grad": "The value of {label} and its derivative with respect to {by}, in one pass.",
    "vjp": "The derivative of {label} with respect to {by} times a cotangent, in one pass.",
}
OF_SEVERAL = {name: text.replace("derivative", "derivatives") for name, text in SUMMARIES.items()}
PRODUCT = "The product is accurate even where the derivative alone would underflow."


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
    """Return the line that says what a method computes."""
    function, gradients = method.function, method.function.signature.gradients
    if method.mode.name == "value":
        return function.definition
    by = " and ".join(f"`{name}`" for name in function.operands[:gradients])
    return (OF_SEVERAL if gradients > 1 else SUMMARIES)[method.mode.name].format(label=function.label, by=by)


def notes(method: Any) -> str:
    if method.mode.name == "value":
        return limits(method)
    where = f"Limits of `{method.function.label}` and of its derivatives:\n\n{limits(method)}"
    return f"{PRODUCT}\n\n{where}" if method.mode.weighted else where


def limits(method: Any) -> str:
    """Return what a function's values are at its limits, without and with a parameter."""
    text = method.function.limits
    if method.parametrised is None:
        return text
    other = method.parametrised.function
    return f"{text}\n\nWith `{method.parameter}`: {other.definition}\n{other.limits}"


def described(operand: str) -> str:
    return DESCRIPTIONS.get(operand, f"{operand} : array_like")


def results(method: Any) -> list[str]:
    """Return names for a method's results; a tuple within the results has one name."""
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
    """Return the table of a method's bounds; a function's includes all its methods."""
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
    """Return a table that is readable as plain text too."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([rule, text[0], rule, *text[1:], rule])


def examples(method: Any) -> str:
    """Return lines for doctest: a function's own example, or a call of a method."""
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
