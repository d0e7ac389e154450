"""The options for single numbers, and the computation of `apply`: a mode on arrays and such numbers."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.methods import Function, Method

# the command's names of the modes that it offers
MODES = {"value": "value", "grad": "grad", "both": "value_and_grad"}
RESULTS = {"value": "value", "grad": "gradient", "both": "value and gradient"}


def beside(function: Function) -> tuple[str, ...]:
    """Return the names of the operands that are numbers; a parameter is last."""
    parameters = (function.parametrised or function).operands[len(function.operands) :]
    return function.operands[function.signature.gradients :] + parameters


NUMBERS = {
    number: [name for name, function in FUNCTIONS.items() if number in beside(function)]
    for number in dict.fromkeys(number for function in FUNCTIONS.values() for number in beside(function))
}
"""The names of these operands, each with the functions that have it."""


@dataclass(frozen=True)
class Computation:
    """A mode of a function, with a number for each operand that is not an array."""

    method: Method
    others: tuple[float, ...]
    parameters: dict[str, float]
    label: str = ""
    """What is computed, in words: the results, the function, and the numbers given."""

    def __call__(self, *arrays: Any, method: Method | None = None) -> Any:
        """Return the results for the arrays, or those of another method of the function."""
        return (method or self.method)(*arrays, *self.others, **self.parameters)

    @property
    def arrays(self) -> int:
        """How many operands are arrays: two for glu and swiglu, the halves of an array or two columns."""
        return self.method.signature.gradients

    @property
    def results(self) -> int:
        return len(self.method.mode.partials)


def option(number: str) -> str:
    return f"--{number.replace('_', '-')}"


def refuse_nan(context: click.Context, parameter: click.Parameter, number: float | None) -> float | None:
    """Return the number that an option gives; nan, with which all results are nan, is a mistake."""
    if number is not None and math.isnan(number):
        raise click.BadParameter("nan is not a number", context, parameter)
    return number


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option to a command for each number; its default is None."""
    for number, functions in reversed(NUMBERS.items()):
        what = f"For {', '.join(functions)}: one number for all elements."
        given = click.option(
            option(number), number, type=float, metavar="NUMBER", callback=refuse_nan, help=what
        )
        command = given(command)
    return command


def accepted(function: Function, given: dict[str, float | None]) -> dict[str, float]:
    """Return the numbers that a command's options give, or say which the function does not take."""
    numbers = {number: value for number, value in given.items() if value is not None}
    for number in numbers:
        if number not in beside(function):
            takers = " and ".join(NUMBERS[number])
            raise click.UsageError(f"{option(number)} is for {takers}, not for {function.label}")
    return numbers


def computation(name: str, what: str, given: dict[str, float | None]) -> Computation:
    """Return the computation for a command's options, or say which are missing or not accepted."""
    function = FUNCTIONS[name]
    required = function.operands[function.signature.gradients :]
    numbers = accepted(function, given)
    label = " ".join([f"{RESULTS[what]} of {name}", *(f"{option(n)} {v:g}" for n, v in numbers.items())])
    for operand in required:
        if operand not in numbers:
            raise click.UsageError(f"{name} takes a {operand}, too: give it by {option(operand)}")
    others = tuple(numbers.pop(operand) for operand in required)
    return Computation(function.methods[MODES[what]], others, numbers, label)
