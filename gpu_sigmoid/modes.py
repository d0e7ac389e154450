"""What a function can be asked for: its operands, its partial derivatives, and the modes.

A partial derivative is named by the operands it is taken by, as indices in ascending order: () is
the value, (0,) the first derivative by the first operand, (0, 0) the second. A mode is what a call
computes in one pass: some of them. All that goes over operands or results (kernels, backends, chain
rules, tests) asks here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations_with_replacement

Partial = tuple[int, ...]

PUBLIC = ("value", "grad", "grad2", "value_and_grad", "vjp")
"""The modes of every function; all but the first are methods of it."""

MEASURED = ("value", "grad", "grad2", "vjp")
"""Those that are not made of others: errors are bounded for each."""

NAMES = ("value", "grad", "grad2")
"""Of a derivative, by its order."""


NUMBERS = ("beta",)
"""Operands that are mostly one number for all elements, and of which formulas make others first."""


@dataclass(frozen=True)
class Mode:
    """The results of one pass; `weighted` ones are multiplied by a cotangent, the last operand."""

    name: str
    partials: tuple[Partial, ...]
    weighted: bool = False
    signature: "Signature | None" = field(default=None, compare=False)
    """The function's, by which derivatives have their names."""

    @property
    def single_results(self) -> "tuple[Mode, ...]":
        """The modes that compute the results one by one."""
        if self.signature is None or len(self.partials) == 1:
            return (self,)
        return tuple(self.signature.single(partial, self.weighted) for partial in self.partials)


@dataclass(frozen=True)
class Signature:
    """The operands of a function; the formula gives the derivatives by the first `differentiable`.

    The public modes take derivatives by the first `gradients` of them. Those by the others belong to
    the chain rules of torch and JAX.
    """

    operands: tuple[str, ...]
    differentiable: int = 1
    gradients: int = 1

    @property
    def modes(self) -> dict[str, Mode]:
        """The modes by name: the public ones, and those of single partial derivatives that are none."""
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

        Unless it is the only one of a public mode, its name says by which operands, such as
        `grad_target`, or `vjp_target` times a cotangent.
        """
        name = "vjp" if weighted else NAMES[len(partial)]
        is_public = self.gradients == 1 and not any(partial)
        by = () if is_public else [self.operands[i] for i in partial]
        return Mode("_".join([name, *by]), (partial,), weighted, self)

    def operands_of(self, mode: Mode) -> tuple[str, ...]:
        """Return the names of what a mode takes."""
        return (*self.operands, "cotangent") if mode.weighted else self.operands


def label(function: str, mode: str) -> str:
    """Return what users call a mode of a function."""
    return function if mode == "value" else f"{function}.{mode}"


def partials(operands: int, order: int) -> tuple[Partial, ...]:
    """Return the partial derivatives of an order by so many operands."""
    return tuple(combinations_with_replacement(range(operands), order))


def all_partials(operands: int) -> tuple[Partial, ...]:
    """Return all partial derivatives, in the order in which a formula returns them."""
    return tuple(partial for order in range(len(NAMES)) for partial in partials(operands, order))


def is_tabulable(formula: Callable, mode: Mode, dtype: str) -> bool:
    """Return whether a table can hold all results: of two 16-bit operands it would be too large."""
    operands = formula.__code__.co_argcount + mode.weighted
    return dtype in ("float16", "bfloat16") and operands == 1
