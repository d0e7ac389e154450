"""The public functions, and `FUNCTIONS`, the table of them.

Everything that goes over the family (tests, documentation, command line) goes over
`FUNCTIONS`. A new function is a formula in `formulas` and an entry here.
"""

from collections.abc import Callable
from typing import Any

from gpu_sigmoid import formulas
from gpu_sigmoid.bounds import BOUNDS, Bound
from gpu_sigmoid.dispatch import call

NOTES = """

Parameters
----------
{parameters}
out : array or None, keyword only
    Where the result goes; the same array as an input will do. Its dtype is the
    result's, its shape what the inputs broadcast to. `value_and_grad` takes a tuple
    of two.

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
one more) and compute derivatives with respect to the first. Largest error, in units
in the last place of the result, against the definition in higher precision:

{bounds}
"""
X = "x : array_like\n    Any shape."
TARGET = "target : array_like\n    Usually in [0, 1]; broadcast against `x`."


class Function:
    """A function of one array and its derivatives, elementwise.

    Call it for the value. `formula` is the scalar formula all backends compute,
    `bounds` the largest error by component and dtype.
    """

    formula: Callable
    __name__: str
    bounds: dict[tuple[str, str], Bound]
    parameters = X

    def __init__(self, formula: Callable, definition: str, limits: str) -> None:
        self.formula = formula
        self.__name__ = self.__qualname__ = formula.__name__
        self.definition = definition
        self.bounds = BOUNDS[formula.__name__]
        lines = "\n".join(
            f"{component} {dtype}: {bound.ulp}" for (component, dtype), bound in self.bounds.items()
        )
        self.__doc__ = definition + NOTES.format(parameters=self.parameters, limits=limits, bounds=lines)

    def __call__(self, x: Any, /, *, out: Any = None) -> Any:
        return call(self, "value", (x,), out)

    def grad(self, x: Any, /, *, out: Any = None) -> Any:
        """Return the derivative; arguments and errors as for the function itself."""
        return call(self, "grad", (x,), out)

    def grad2(self, x: Any, /, *, out: Any = None) -> Any:
        """Return the second derivative; arguments and errors as for the function itself."""
        return call(self, "grad2", (x,), out)

    def value_and_grad(self, x: Any, /, *, out: Any = None) -> Any:
        """Return (value, derivative) from one pass; `out` is a tuple of two arrays or None."""
        return call(self, "value_and_grad", (x,), out)

    def vjp(self, x: Any, cotangent: Any, /, *, out: Any = None) -> Any:
        """Return cotangent * derivative from one pass; `cotangent` broadcasts against x.

        The product does not underflow where the derivative alone would.
        """
        return call(self, "vjp", (x, cotangent), out)

    def __repr__(self) -> str:
        return f"<gpu_sigmoid.{self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__


class FunctionOfTarget(Function):
    """A function of an array and a target; derivatives are with respect to the array."""

    parameters = f"{X}\n{TARGET}"

    def __call__(self, x: Any, target: Any, /, *, out: Any = None) -> Any:  # type: ignore[override]
        return call(self, "value", (x, target), out)

    def grad(self, x: Any, target: Any, /, *, out: Any = None) -> Any:  # type: ignore[override]
        """Return the derivative by x; arguments and errors as for the function itself."""
        return call(self, "grad", (x, target), out)

    def grad2(self, x: Any, target: Any, /, *, out: Any = None) -> Any:  # type: ignore[override]
        """Return the second derivative by x; arguments and errors as for the function itself."""
        return call(self, "grad2", (x, target), out)

    def value_and_grad(self, x: Any, target: Any, /, *, out: Any = None) -> Any:  # type: ignore[override]
        """Return (value, derivative by x) from one pass; `out` is a tuple of two arrays or None."""
        return call(self, "value_and_grad", (x, target), out)

    def vjp(self, x: Any, target: Any, cotangent: Any, /, *, out: Any = None) -> Any:  # type: ignore[override]
        """Return cotangent * derivative by x from one pass; `cotangent` broadcasts against the rest."""
        return call(self, "vjp", (x, target, cotangent), out)


sigmoid = Function(
    formulas.sigmoid,
    "The logistic sigmoid, 1 / (1 + exp(-x)).",
    "0 at -inf, 1 at inf; the derivative is 0 at both and keeps its relative accuracy on the way there.",
)
log_sigmoid = Function(
    formulas.log_sigmoid,
    "The logarithm of the sigmoid, -log(1 + exp(-x)).",
    "-inf at -inf, -0.0 at inf; the derivative is sigmoid(-x).",
)
softplus = Function(
    formulas.softplus,
    "The softplus, log(1 + exp(x)), exact for all x: there is no threshold.",
    "0 at -inf, inf at inf; the derivative is sigmoid(x).",
)
silu = Function(
    formulas.silu,
    "The sigmoid linear unit (swish), x * sigmoid(x).",
    "-0.0 at -inf, inf at inf; the sign of zero is kept.",
)
logit = Function(
    formulas.logit,
    "The inverse of the sigmoid, log(x / (1 - x)).",
    "-inf at 0, inf at 1, nan outside [0, 1]; full relative accuracy near 0.5.",
)
bce_with_logits = FunctionOfTarget(
    formulas.bce_with_logits,
    "The binary cross-entropy of a logit, softplus(x) - x * target, elementwise.",
    "An infinite logit on a hard target's side costs 0. For targets in [0, 1] nothing cancels in\n"
    "the value. The gradient, sigmoid(x) - target, does where the two are near each other, and the\n"
    "value for targets outside [0, 1], which are computed by the same formula: errors are then in\n"
    "last places of the larger term.",
)

FUNCTIONS: dict[str, Function] = {
    function.__name__: function for function in (sigmoid, log_sigmoid, softplus, silu, logit, bce_with_logits)
}
sigmoid_prime = sigmoid.grad
