"""The classes of the public objects: functions with methods, in the manner of a NumPy ufunc.

A parameter such as the `beta` of softplus is an additional operand of a separate formula, and
`softplus(x, beta=b)` calls the function of that formula, its `parametrised`. That function has a name,
bounds and methods like any other, but users reach it only through the keyword.
"""

import inspect
from collections.abc import Callable, Iterable
from math import inf
from typing import Any

from numpy import ndarray

from gpu_sigmoid import registry
from gpu_sigmoid.bounds import Bound, bounds_of
from gpu_sigmoid.dispatch import call
from gpu_sigmoid.documentation import documentation, summary
from gpu_sigmoid.errors import unknown_keyword
from gpu_sigmoid.halves import Packed
from gpu_sigmoid.kinds import ACCEPTED
from gpu_sigmoid.modes import NAMES, PUBLIC, Mode, Partial, Signature, label


class Method:
    """A mode of a function, elementwise over arrays: the function itself, or one of its methods.

    `formula` is the scalar formula that all backends compute, and `mode` says which of its results.
    `name` is unique, `label` is the name that users see. `parametrised` is the same mode with a `parameter`.
    `accepted` says what operands may be.
    `ready` holds calls that backends have prepared, by the type of the first operand, or by a NumPy array's
    dtype; they return NotImplemented for operands and `out` that need more.
    """

    parametrised: "Method | None" = None
    parameter = ""
    accepted = ACCEPTED

    def __init__(
        self, formula: Callable, signature: Signature, mode: Mode, function: "Function", called: str
    ) -> None:
        self.formula, self.signature, self.mode, self.function = formula, signature, mode, function
        self.name, self.label = label(formula.__name__, mode.name), label(called, mode.name)
        self.__name__ = self.name.rpartition(".")[2]
        self.__qualname__ = self.name
        self.operands = signature.operands_of(mode)
        self.ready: dict[Any, Callable[..., Any]] = {}
        self._count = len(self.operands)

    def __call__(self, *operands: Any, out: Any = None, **parameters: Any) -> Any:
        # a ufunc would take one too many for its output
        if len(operands) != self._count:
            raise TypeError(self.refusal(len(operands)) + self.hint(len(operands)))
        method = self
        if parameters:
            value = parameters.pop(self.parameter, None)
            if parameters:
                raise self.unknown(parameters)
            method, operands = self.with_parameter(operands, value)
        # what is ready comes first, and without another function, since a microsecond matters for one element
        first = operands[0]
        kind = type(first)
        if kind is ndarray:
            ready = method.ready.get(first.dtype)
        elif kind is float:
            ready = method.ready.get(float)
        else:
            ready = method.ready[kind] if method.is_ready(kind) else None
        try:
            if ready is not None:
                result = ready(operands, out)
                if result is not NotImplemented:
                    return result
            return call(method, operands, out)
        except OverflowError as error:
            # Python's words, whichever backend converts the int
            if str(error) != "int too large to convert to float":
                raise
            raise OverflowError(f"{method.label}: {error}, which holds numbers up to 1.8e308") from None

    def is_ready(self, kind: type) -> bool:
        """Return whether a call is ready for first operands of a type."""
        return kind in self.ready

    # torch.compile takes what this returns for a constant, and does not compile a program anew because the
    # table has grown: as torch.compiler.assume_constant_result would mark it. Before torch 2.13 it does so
    # with methods alone, since it can have no constant of a Method for an argument.
    is_ready._dynamo_marked_constant = True  # type: ignore[attr-defined]

    def with_parameter(self, operands: tuple, value: Any) -> "tuple[Method, tuple]":
        """Return the method for a call with a parameter, and its operands; None means no parameter."""
        if self.parametrised is None or value is None:
            return self, operands
        count = len(self.signature.operands)
        return self.parametrised, (*operands[:count], value, *operands[count:])

    def unknown(self, parameters: Iterable[str]) -> TypeError:
        """Return the error for a call with unknown keywords."""
        wrong = (name for name in parameters if name != self.parameter)
        return unknown_keyword(self.label, wrong, filter(None, [self.parameter, "out"]))

    def refusal(self, given: int) -> str:
        """Return the message for a call with the wrong number of operands."""
        wanted, names = self._count, ", ".join(self.operands)
        return f"{self.label} takes {wanted} operand{'s' * (wanted > 1)} ({names}), by position, not {given}"

    def hint(self, given: int) -> str:
        """Return what a call with the wrong number of operands may have meant."""
        if given > self._count:
            return (
                f"; by keyword: {', '.join(f'{name}=...' for name in filter(None, [self.parameter, 'out']))}"
            )
        packed, name = getattr(self.function, "packed", None), self.mode.name
        if packed and given == self._count - 1 and (name == "value" or hasattr(packed, name)):
            return f"; the halves of one array are for {label(packed.label, name)}"
        return ""

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

    `flat` is the method that computes all of them as one tuple.
    """

    def __init__(self, flat: Method) -> None:
        super().__init__(flat.formula, flat.signature, flat.mode, flat.function, flat.function.label)
        self.flat = flat

    def __call__(self, *operands: Any, out: Any = None, **parameters: Any) -> Any:
        results = self.flat(*operands, out=None if out is None else self.flattened(out), **parameters)
        return results[0], results[1:]

    def flattened(self, out: Any) -> tuple:
        """Return (value, (derivatives...)) as one tuple.

        Raises
        ------
        TypeError
            If it is nested differently.
        """
        count = self.signature.gradients
        if isinstance(out, tuple) and len(out) == 2:
            value, gradients = out
            if gradients is None:
                return value, *(None,) * count
            if isinstance(gradients, tuple) and len(gradients) == count:
                return value, *gradients
        names = ", ".join(f"by_{name}" for name in self.signature.operands[:count])
        raise TypeError(f"{self.label}: out must be a tuple (value, ({names})), as the results are")

    def __reduce__(self) -> Any:
        return getattr, (self.function, self.__name__)


class Function(Method):
    """A function and its derivatives, elementwise; call it for the value.

    `bounds` are the largest errors by mode and dtype. `methods` are all modes by name; several results are
    one flat tuple there. `domain` is the open interval of `x` with finite results, `example` a call with
    its output. A function with a parameter is `called` by the name of the one without, whose
    `parametrised` it is.
    """

    grad: Method
    grad2: Method
    value_and_grad: Method
    vjp: Method
    packed: Packed
    """For functions of two gradients: the same function of the two halves of one array."""

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
        example: str = "",
    ) -> None:
        operands = tuple(inspect.signature(formula).parameters)
        signature = Signature(operands, differentiable, gradients)
        called = called or formula.__name__
        super().__init__(formula, signature, signature.modes["value"], self, called)
        self.definition, self.limits, self.domain, self.example = definition, limits, domain, example
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
        # a function reached only by a keyword is described where that keyword is
        describe = documentation if self.label == self.name else summary
        for method in (self, *(getattr(self, name) for name in PUBLIC[1:])):
            method.__doc__ = describe(method)

    def method_of(self, partial: Partial, weighted: bool = False) -> Method:
        """Return the method that computes one partial derivative alone, by its operands in any order.

        Raises
        ------
        NotImplementedError
            If the formula does not give derivatives of that order.
        """
        if len(partial) >= len(NAMES):
            raise self.no_third_derivative()
        wanted = ((*sorted(partial),),), weighted
        return next(m for m in self.methods.values() if (m.mode.partials, m.mode.weighted) == wanted)

    def no_third_derivative(self) -> NotImplementedError:
        """Return the error that a chain rule raises for a third derivative."""
        return NotImplementedError(
            f"{self.label} has no third derivative, as differentiating grad2 would need"
        )


def find(name: str, mode: str) -> Method:
    """Return a mode of the function of that name."""
    return registry.FUNCTIONS[name].methods[mode]
