"""What a component of a function is: the method that computes it, its results, its name."""

from collections.abc import Callable
from typing import Any

from gpu_sigmoid.lowering import COMPONENTS

__all__ = ["COMPONENTS", "label", "method", "outputs"]


def method(function: Any, component: str) -> Callable[..., Any]:
    """Return the callable for `component`; it pickles by name, as the function does."""
    return function if component == "value" else getattr(function, component)


def outputs(component: str) -> int:
    """Return how many results a component has."""
    return 2 if component == "value_and_grad" else 1


def label(name: str, component: str) -> str:
    """Return what users call a component of the function `name`."""
    return name if component == "value" else f"{name}.{component}"
