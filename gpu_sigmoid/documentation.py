"""The docstrings of the public functions and their methods, which say their bounds."""

from typing import Any

NOTES = """

Parameters
----------
{parameters}
out : array or None, keyword only
    Where the result goes; the same array as an input will do. Its dtype is the
    result's, its shape what the inputs broadcast to. Where there are several results,
    a tuple of as many, nested as they are.

Returns
-------
array
    Of the inputs' broadcast shape. float16, bfloat16, float32 and float64 keep their
    dtype (several are promoted by NumPy's rules); bool and integers give float64.

Raises
------
TypeError
    For complex, longdouble, object and string dtypes, and for types of array that
    are not supported.
ValueError
    If shapes do not broadcast, or `out` is read-only or of another shape.

Notes
-----
{limits}

The methods `grad`, `grad2`, `value_and_grad` and `vjp` take the same arguments (`vjp`
one more) and compute derivatives with respect to {by}. Largest error, in units
in the last place of the result, against the definition in higher precision:

{bounds}
"""
PARAMETERS = {
    "x": "x : array_like\n    Any shape.",
    "target": "target : array_like\n    Usually in [0, 1]; broadcast against `x`.",
    "pos_weight": "pos_weight : number or array, keyword only\n"
    "    What a target of 1 counts for; broadcast against `x`. Without it: 1.",
    "beta": "beta : number or array, keyword only\n    The steepness; broadcast against `x`. Without it: 1.",
    "a": "a : array_like\n    Any shape.",
    "b": "b : array_like\n    Broadcast against `a`.",
}
"""What is said of an operand, by its name."""

SUMMARIES = {
    "grad": "Return the derivative; arguments and errors as for the function itself.",
    "grad2": "Return the second derivative; arguments and errors as for the function itself.",
    "value_and_grad": "Return (value, derivative) from one pass; `out` is a tuple of two arrays or None.",
    "vjp": """Return cotangent * derivative from one pass; `cotangent` broadcasts against the operands.

        The product does not underflow where the derivative alone would.
        """,
}


def documentation(function: Any, parametrised: Any) -> str:
    """Return what is said of a function, and of the one with a parameter."""

    def bounds(of: Any) -> str:
        return "\n".join(f"{mode} {dtype}: {bound.ulp}" for (mode, dtype), bound in of.bounds.items())

    operands, limits, lines = function.operands, function.limits, bounds(function)
    if parametrised is not None:
        operands = parametrised.operands
        limits += f"\n\nWith `{operands[-1]}`: {parametrised.definition}\n{parametrised.limits}"
        lines += f"\n\nand with `{operands[-1]}`:\n\n{bounds(parametrised)}"
    parameters = "\n".join(PARAMETERS.get(name, f"{name} : array_like") for name in operands)
    by = "the first" if function.signature.gradients == 1 else "all, as a tuple of arrays"
    return function.definition + NOTES.format(parameters=parameters, limits=limits, by=by, bounds=lines)
