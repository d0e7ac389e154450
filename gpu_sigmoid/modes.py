"""The operands, partial derivatives and modes of functions.

A partial derivative is named by its operands, as indices in ascending order: () is the value, (0,) the
first derivative with respect to the first operand, (0, 0) the second. A mode is a set of them that a call
computes in one pass. All code that iterates over operands or results (kernels, backends, chain rules,
tests) uses these definitions.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

Partial = tuple[int, ...]

PUBLIC = ("value", "grad", "grad2", "value_and_grad", "vjp")
"""The modes of every function; all but the first are its methods."""

MEASURED = ("value", "grad", "grad2", "vjp")
"""The modes with bounds of their own; the others combine these."""

NAMES = ("value", "grad", "grad2")
"""The names of derivatives by order."""

PARAMETERS = ("beta", "pos_weight")
"""The operands that calls pass by keyword, usually one number for all elements: formulas first compute others
from it."""


@dataclass(frozen=True)
class Mode:
    """The results of one pass; `weighted` ones are multiplied by a cotangent, the last operand."""

    name: str
    partials: tuple[Partial, ...]
    weighted: bool = False
    signature: "Signature | None" = field(default=None, compare=False)
    """The function's signature, which gives derivatives their names."""

    @property
    def single_results(self) -> "tuple[Mode, ...]":
        """The modes that compute the results one by one."""
        if self.signature is None or len(self.partials) == 1:
            return (self,)
        return tuple(self.signature.single(partial, self.weighted) for partial in self.partials)


@dataclass(frozen=True)
class Signature:
    """A function's operands; the formula gives derivatives with respect to the first `differentiable`.

    The public modes take derivatives with respect to the first `gradients` of them; the others serve the
    chain rules of torch and JAX.
    """

    operands: tuple[str, ...]
    differentiable: int = 1
    gradients: int = 1

    @property
    def modes(self) -> dict[str, Mode]:
        """The modes by name: the public ones, then the other single partial derivatives."""
        value, first, second = (partials(self.gradients, order) for order in range(len(NAMES)))
        modes = [
            Mode("value", value, signature=self),
            Mode("grad", first, signature=self),
            Mode("grad2", second, signature=self),
            Mode("value_and_grad", value + first, signature=self),
            Mode("vjp", first, True, self),
        ]
        for order, weighted in ((1, False), (1, True), (2, False)):
            modes += [self.single(partial, weighted) for partial in partials(self.differentiable, order)]
        return {mode.name: mode for mode in modes}

    def single(self, partial: Partial, weighted: bool = False) -> Mode:
        """Return the mode of one partial derivative.

        Unless a public mode computes it alone, its name contains the operands, such as `grad_target`, or
        `vjp_target` for its product with a cotangent.
        """
        name = "vjp" if weighted else NAMES[len(partial)]
        is_public = self.gradients == 1 and not any(partial)
        by = () if is_public else [self.operands[i] for i in partial]
        return Mode("_".join([name, *by]), (partial,), weighted, self)

    def operands_of(self, mode: Mode) -> tuple[str, ...]:
        """Return the names of a mode's operands."""
        return (*self.operands, "cotangent") if mode.weighted else self.operands


def label(function: str, mode: str) -> str:
    """Return the users' name of a mode of a function."""
    return function if mode == "value" else f"{function}.{mode}"


def partials(operands: int, order: int) -> tuple[Partial, ...]:
    """Return the partial derivatives of an order with respect to so many operands."""
    return tuple(combinations_with_replacement(range(operands), order))


def all_partials(operands: int) -> tuple[Partial, ...]:
    """Return all partial derivatives, in the order in which a formula returns them."""
    return tuple(partial for order in range(len(NAMES)) for partial in partials(operands, order))


def is_tabulable(formula: Callable, mode: Mode, dtype: str) -> bool:
    """Return whether a table can hold all results; for two 16-bit operands it would be too large."""
    operands = formula.__code__.co_argcount + mode.weighted
    return dtype in ("float16", "bfloat16") and operands == 1
