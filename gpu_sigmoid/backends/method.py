"""A component of a function as something to call, for backends that call it on what they hold."""

from collections.abc import Callable
from typing import Any


def method(function: Any, component: str) -> Callable[..., Any]:
    """Return the callable for `component`; it pickles by name, as the function does."""
    return function if component == "value" else getattr(function, component)


def refuse_out(function: Any, out: Any, reason: str) -> None:
    """Raise a TypeError if `out` is given."""
    if out is not None:
        raise TypeError(f"{function.__name__}: out is not accepted: {reason}")
