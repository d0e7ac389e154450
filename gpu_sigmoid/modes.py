"""What a function can be asked for: its operands, its partial derivatives, and the modes.

A partial derivative is named by the operands it is taken by, as indices in ascending order: () is
the value, (0,) the first derivative by the first operand, (0, 0) the second. A mode is what a call
computes in one pass: some of them. All that goes over operands or results (kernels, backends, chain
rules, tests) asks here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement

Partial = tuple[int, ...]

PUBLIC = ("value", "grad", "grad2", "value_and_grad", "vjp")
"""The modes of every function; all but the first are methods of it."""

MEASURED = ("value", "grad", "grad2", "vjp")
"""Those that are not made of others: errors are bounded for each."""

ORDERS = (0, 1, 2)
"""The orders of the derivatives that a formula gives."""


@dataclass(frozen=True)
class Mode:
    """The results of one pass; `weighted` ones are multiplied by a cotangent, the last operand."""

    name: str
    partials: tuple[Partial, ...]
    weighted: bool = False

    @property
    def single_results(self) -> "tuple[Mode, ...]":
        """The modes that compute the results one by one."""
        if len(self.partials) == 1:
            return (self,)
        return tuple(Mode(name_of(partial), (partial,), self.weighted) for partial in self.partials)


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
        """The modes by name: the public ones, and those of the other partial derivatives.

        Those are named by their operands, such as `grad_target`, and `vjp_target` times a cotangent.
        """
        value, first, second = (partials(self.gradients, order) for order in ORDERS)
        modes = [
            Mode("value", value),
            Mode("grad", first),
            Mode("grad2", second),
            Mode("value_and_grad", value + first),
            Mode("vjp", first, weighted=True),
        ]
        for name, order in (("grad", 1), ("vjp", 1), ("grad2", 2)):
            for partial in partials(self.differentiable, order):
                if max(partial) >= self.gradients:
                    names = [self.operands[i] for i in partial]
                    modes.append(Mode("_".join([name, *names]), (partial,), weighted=name == "vjp"))
        return {mode.name: mode for mode in modes}

    def operands_of(self, mode: Mode) -> tuple[str, ...]:
        """Return the names of what a mode takes."""
        return (*self.operands, "cotangent") if mode.weighted else self.operands


def name_of(partial: Partial) -> str:
    """Return a name by the order and the operands' indices, of the first operand by the order alone."""
    order = ("value", "grad", "grad2")[len(partial)]
    return order if not any(partial) else "_".join([order, *map(str, partial)])


def label(function: str, mode: str) -> str:
    """Return what users call a mode of a function."""
    return function if mode == "value" else f"{function}.{mode}"


def partials(operands: int, order: int) -> tuple[Partial, ...]:
    """Return the partial derivatives of an order by so many operands."""
    return tuple(combinations_with_replacement(range(operands), order))


def all_partials(operands: int) -> tuple[Partial, ...]:
    """Return all partial derivatives, in the order in which a formula returns them."""
    return tuple(partial for order in ORDERS for partial in partials(operands, order))


def is_tabulable(formula: Callable, mode: Mode, dtype: str) -> bool:
    """Return whether a table can hold all results: of two 16-bit operands it would be too large."""
    operands = formula.__code__.co_argcount + mode.weighted
    return dtype in ("float16", "bfloat16") and operands == 1
