"""What a component of a function is: the method that computes it, its operands, its results, its name."""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from gpu_sigmoid.lowering import COMPONENTS

__all__ = ["COMPONENTS", "arity", "label", "method", "outputs", "parts", "tabulable"]


def method(function: Any, component: str) -> Callable[..., Any]:
    """Return the callable for `component`; it pickles by name, as the function does."""
    return function if component == "value" else getattr(function, component)


@cache
def arity(formula: Callable, component: str) -> int:
    """Return how many operands a component has."""
    return len(inspect.signature(formula).parameters) + (component == "vjp")


def tabulable(formula: Callable, component: str, dtype: str) -> bool:
    """Return whether a table can hold all results: of two operands it would be too large."""
    return dtype in ("float16", "bfloat16") and arity(formula, component) == 1


def outputs(component: str) -> int:
    """Return how many results a component has."""
    return len(parts(component))


def parts(component: str) -> tuple[str, ...]:
    """Return the components that a component's results are."""
    return ("value", "grad") if component == "value_and_grad" else (component,)


def label(name: str, component: str) -> str:
    """Return what users call a component of the function `name`."""
    return name if component == "value" else f"{name}.{component}"
