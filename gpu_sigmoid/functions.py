"""The public functions, and `FUNCTIONS`, the table of them.

Everything that goes over the family (documentation, command line) goes over `FUNCTIONS`. A new
function is a formula in `formulas` and an entry here.

A parameter such as softplus' `beta` is one more operand of another formula: `softplus(x, beta=b)` is
a call of that function, its `parametrised` one. It has a name, bounds and methods as any other, but
users call it by the keyword alone, and `FUNCTIONS` does not list it; `registry.FUNCTIONS`, which
backends, tests and the verification go over, does.
"""

import inspect
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

from gpu_sigmoid import formulas, registry
from gpu_sigmoid.bounds import Bound, bounds_of
from gpu_sigmoid.dispatch import call
from gpu_sigmoid.halves import Packed
from gpu_sigmoid.modes import NAMES, PUBLIC, Mode, Partial, Signature, label

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


class Method:
    """A mode of a function, elementwise over arrays: the function itself, or one of its methods.

    `formula` is the scalar formula that all backends compute, `mode` what of it. `name` tells it from
    all others, `label` is what users call it. `ready` are the kernels for operands that need no
    preparation, by dtype, which `dispatch` looks up. `parametrised` is the same with a `parameter`.
    """

    parametrised: "Method | None" = None
    parameter = ""

    def __init__(
        self, formula: Callable, signature: Signature, mode: Mode, function: "Function", called: str
    ) -> None:
        self.formula, self.signature, self.mode, self.function = formula, signature, mode, function
        self.name, self.label = label(formula.__name__, mode.name), label(called, mode.name)
        self.__name__ = self.name.rpartition(".")[2]
        self.__qualname__ = self.name
        self.__doc__ = SUMMARIES.get(mode.name)
        self.operands = signature.operands_of(mode)
        self.ready: dict[Any, Callable[..., Any]] = {}
        self._count = len(self.operands)

    def __call__(self, *operands: Any, out: Any = None, **parameters: Any) -> Any:
        # a ufunc would take one too many for its output
        if len(operands) != self._count:
            raise TypeError(self.refusal(len(operands)))
        if parameters:
            value = parameters.pop(self.parameter, None)
            if parameters:
                raise TypeError(self.unknown(parameters))
            method, operands = self.with_parameter(operands, value)
            return call(method, operands, out)
        return call(self, operands, out)

    def with_parameter(self, operands: tuple, value: Any) -> "tuple[Method, tuple]":
        """Return what computes a call with a parameter, and its operands; None is no parameter."""
        if self.parametrised is None or value is None:
            return self, operands
        count = len(self.signature.operands)
        return self.parametrised, (*operands[:count], value, *operands[count:])

    def unknown(self, parameters: Iterable[str]) -> str:
        """Return what is wrong with a call with such keywords."""
        wrong = next(name for name in parameters if name != self.parameter)
        accepted = " and ".join(filter(None, [self.parameter, "out"]))
        # in Python's words: by them polars finds that a function does not take its own keyword
        return f"{self.label} got an unexpected keyword argument {wrong!r}: it has only {accepted}"

    def refusal(self, given: int) -> str:
        """Return what is wrong with a call of so many operands."""
        wanted, names = self._count, ", ".join(self.operands)
        return f"{self.label} takes {wanted} operand{'s' * (wanted > 1)} ({names}), by position, not {given}"

    @property
    def __signature__(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_ONLY
        parameters = [inspect.Parameter(name, kind) for name in self.operands]
        for name in filter(None, [self.parameter, "out"]):
            parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None))
        return inspect.Signature(parameters)

    def __repr__(self) -> str:
        return f"<gpu_sigmoid.{self.name}>"

    def __reduce__(self) -> Any:
        return find, (self.formula.__name__, self.mode.name)


class ValueAndGradients(Method):
    """`value_and_grad` of a function of several gradients: (value, (by the first, by the second, ...)).

    `flat` is the method that computes them, all in one tuple.
    """

    def __init__(self, flat: Method) -> None:
        super().__init__(flat.formula, flat.signature, flat.mode, flat.function, flat.function.label)
        self.flat = flat
        self.__doc__ = "Return (value, tuple of derivatives) from one pass; `out` is as nested."

    def __call__(self, *operands: Any, out: Any = None, **parameters: Any) -> Any:
        results = self.flat(*operands, out=None if out is None else self.flattened(out), **parameters)
        return results[0], results[1:]

    def flattened(self, out: Any) -> tuple:
        """Return (value, (derivatives...)) as one tuple.

        Raises
        ------
        TypeError
            If it is not nested so.
        """
        count = self.signature.gradients
        if isinstance(out, tuple) and len(out) == 2:
            value, gradients = out
            if gradients is None:
                return value, *(None,) * count
            if isinstance(gradients, tuple) and len(gradients) == count:
                return value, *gradients
        names = ", ".join(f"by_{name}" for name in self.signature.operands[:count])
        raise TypeError(f"{self.label}: out is to be a tuple (value, ({names})), as the results are")

    def __reduce__(self) -> Any:
        return getattr, (self.function, self.__name__)


class Function(Method):
    """A function and its derivatives, elementwise; call it for the value.

    `bounds` are the largest errors by mode and dtype, `methods` all its modes by name; of these, several
    results are in one tuple. `domain` is the open interval of `x` with finite results. One with a
    parameter is `called` as the one without, whose `parametrised` it is.
    """

    grad: Method
    grad2: Method
    value_and_grad: Method
    vjp: Method
    packed: Packed
    """Of functions of two gradients: the same of the two halves of one array."""

    def __init__(
        self,
        formula: Callable,
        definition: str,
        limits: str,
        differentiable: int = 1,
        gradients: int = 1,
        called: str = "",
        parametrised: "Function | None" = None,
        domain: tuple[float, float] = (-inf, inf),
    ) -> None:
        operands = tuple(inspect.signature(formula).parameters)
        signature = Signature(operands, differentiable, gradients)
        called = called or formula.__name__
        super().__init__(formula, signature, signature.modes["value"], self, called)
        self.definition, self.limits, self.domain = definition, limits, domain
        self.bounds: dict[tuple[str, str], Bound] = bounds_of(formula.__name__)
        self.methods: dict[str, Method] = {"value": self}
        for mode in signature.modes.values():
            if mode.name != "value":
                self.methods[mode.name] = Method(formula, signature, mode, self, called)
        for name in PUBLIC[1:]:
            setattr(self, name, self.methods[name])
        if gradients > 1:
            self.value_and_grad = ValueAndGradients(self.methods["value_and_grad"])
            self.packed = Packed(self)
        if parametrised is not None:
            for name, method in self.methods.items():
                method.parametrised, method.parameter = parametrised.methods[name], parametrised.operands[-1]
        self.__doc__ = documentation(self, parametrised)

    def method_of(self, partial: Partial, weighted: bool = False) -> Method:
        """Return the method that computes one partial derivative alone, by its operands in any order.

        Raises
        ------
        NotImplementedError
            If a formula does not give so many derivatives.
        """
        if len(partial) >= len(NAMES):
            raise self.no_third_derivative()
        wanted = ((*sorted(partial),),), weighted
        return next(m for m in self.methods.values() if (m.mode.partials, m.mode.weighted) == wanted)

    def no_third_derivative(self) -> NotImplementedError:
        """Return the error of asking for one, to a chain rule's user."""
        return NotImplementedError(f"{self.label} has no third derivative, which that of grad2 would be")


def documentation(function: Function, parametrised: Function | None) -> str:
    """Return what is said of a function, and of the one with a parameter."""

    def bounds(of: Function) -> str:
        return "\n".join(f"{mode} {dtype}: {bound.ulp}" for (mode, dtype), bound in of.bounds.items())

    operands, limits, lines = function.operands, function.limits, bounds(function)
    if parametrised is not None:
        operands = parametrised.operands
        limits += f"\n\nWith `{operands[-1]}`: {parametrised.definition}\n{parametrised.limits}"
        lines += f"\n\nand with `{operands[-1]}`:\n\n{bounds(parametrised)}"
    parameters = "\n".join(PARAMETERS.get(name, f"{name} : array_like") for name in operands)
    by = "the first" if function.signature.gradients == 1 else "all, as a tuple of arrays"
    return function.definition + NOTES.format(parameters=parameters, limits=limits, by=by, bounds=lines)


def find(name: str, mode: str) -> Method:
    """Return a mode of the function of that name."""
    return registry.FUNCTIONS[name].methods[mode]


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
    parametrised=Function(
        formulas.softplus_beta,
        "log(1 + exp(beta * x)) / beta.",
        "beta * x is not rounded, and may overflow. inf or -inf for a beta of 0, with its sign; max(x, 0)\n"
        "for an infinite one. Bounds hold for abs(beta) from 2^-28 to 2^62 (float64: 2^-420 to 2^510): of a\n"
        "smaller one, abs(beta * x) counts as at most 131 (1060); a larger one is as an infinite one, to\n"
        "within 2e-19 (3e-154). The second derivative is 0 from abs(beta * x) = 131 (1060) on.",
        differentiable=2,
        called="softplus",
    ),
)
silu = Function(
    formulas.silu,
    "The sigmoid linear unit (swish), x * sigmoid(x).",
    "-0.0 at -inf, inf at inf; the sign of zero is kept.",
    parametrised=Function(
        formulas.silu_beta,
        "x * sigmoid(beta * x).",
        "beta * x is not rounded, and may overflow. x / 2 for a beta of 0, max(x, 0) for an infinite one.\n"
        "Bounds hold for abs(beta) from 2^-28 on (float64: 2^-420): of a smaller one, abs(beta * x) counts\n"
        "as at most 131 (1060), or 86 (708) below 2^-63 (2^-511). The second derivative is 0 from\n"
        "abs(beta * x) = 131 (1060) on.",
        differentiable=2,
        called="silu",
    ),
)
tanh = Function(
    formulas.tanh,
    "The hyperbolic tangent, 1 - 2 / (1 + exp(2 x)).",
    "-1 at -inf, 1 at inf, x itself near 0; the sign of zero is kept. The derivative is 0 at both ends and\n"
    "keeps its relative accuracy on the way there.",
)
logit = Function(
    formulas.logit,
    "The inverse of the sigmoid, log(x / (1 - x)).",
    "-inf at 0, inf at 1, nan outside [0, 1]; full relative accuracy near 0.5.",
    domain=(0.0, 1.0),
)
log1mexp = Function(
    formulas.log1mexp,
    "The logarithm of one minus an exponential, log(1 - exp(x)) for x <= 0.",
    "-0.0 at -inf, -inf at 0, nan above. As in SciPy, Stan, PyTensor and Julia, x is the logarithm of a\n"
    "probability p, and the result that of 1 - p: the function is its own inverse. What JAX and R call\n"
    "log1mexp(a) is log1mexp(-a) here.",
    domain=(-inf, 0.0),
)
softplus_inverse = Function(
    formulas.softplus_inverse,
    "The inverse of the softplus, log(exp(x) - 1) = x + log(1 - exp(-x)).",
    "-inf at 0, inf at inf, nan below 0; full relative accuracy near its zero, ln(2).",
    domain=(0.0, inf),
)
bce_with_logits = Function(
    formulas.bce_with_logits,
    "The binary cross-entropy of a logit, softplus(x) - x * target, elementwise.",
    "An infinite logit on a hard target's side costs 0. For targets in [0, 1] nothing cancels in\n"
    "the value. The gradient, sigmoid(x) - target, does where the two are near each other, and the\n"
    "value for targets outside [0, 1], which are computed by the same formula: errors are then in\n"
    "last places of the larger term.",
    differentiable=2,
    parametrised=Function(
        formulas.bce_with_logits_pos_weight,
        "(1 - target) * x + (1 + (pos_weight - 1) * target) * softplus(-x).",
        "An infinite logit that costs nothing costs 0: beside a target of 0 or 1, or a pos_weight of 0.\n"
        "Bounds hold for a pos_weight from 2^-60 to 2^38 (float64: 2^-500 to 2^440), and for 0. Nothing\n"
        "cancels in the value for targets in [0, 1]; in the gradient, which does where (1 - target) and\n"
        "(1 + (pos_weight - 1) * target) * sigmoid(-x) are near each other, errors are in last places of\n"
        "the larger.",
        differentiable=3,
        called="bce_with_logits",
    ),
)
glu = Function(
    formulas.glu,
    "The gated linear unit, a * sigmoid(b).",
    "The factors are multiplied before they are rounded: a large `a` meets the sigmoid before that\n"
    "underflows. 0 times infinity is nan.",
    differentiable=2,
    gradients=2,
)
swiglu = Function(
    formulas.swiglu,
    "The gated unit of silu, silu(a) * b = a * sigmoid(a) * b.",
    "The factors are multiplied before they are rounded: a large `b` meets silu(a) before that underflows.\n"
    "0 times infinity is nan, silu(-inf) is -0.0. The derivative by `a` changes its sign near a = -1.278:\n"
    "errors are there in last places of the larger of its terms, b * sigmoid(a) and a * b * sigmoid'(a).",
    differentiable=2,
    gradients=2,
)

FAMILY = (
    *(sigmoid, log_sigmoid, softplus, softplus_inverse, silu, tanh, logit, log1mexp),
    *(bce_with_logits, glu, swiglu),
)
FUNCTIONS: dict[str, Function] = {f.label: f for f in FAMILY}
for _function in FUNCTIONS.values():
    registry.FUNCTIONS.update({f.name: f for f in (_function, _function.parametrised) if f is not None})
sigmoid_prime = sigmoid.grad
# the names they have in scipy.special
expit, log_expit = sigmoid, log_sigmoid
