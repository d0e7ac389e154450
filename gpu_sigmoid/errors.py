"""Errors that name the function that was called, and what it takes."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any


def unknown_keyword(label: str, keywords: Iterable[str], accepted: Iterable[str]) -> TypeError:
    """Return the error for a call with keywords that are not accepted, which names the first one."""
    # in Python's words: by them polars finds that a function does not take its own keyword
    words = f"{label} got an unexpected keyword argument {next(iter(keywords))!r}"
    return TypeError(f"{words}: it accepts only {' and '.join(accepted)}")


def with_known_keywords(function: Callable[..., Any]) -> Callable[..., Any]:
    """Leave the keywords that a function takes only to refuse them out of its signature."""
    signature = inspect.signature(function)
    known = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    function.__signature__ = signature.replace(parameters=known)  # type: ignore[attr-defined]
    return function


def rename(error: Exception, inner: str, outer: str) -> None:
    """Let the error of a function inside another one name the outer one, which the user called."""
    message = str(error)
    if message.startswith(f"{inner}:"):
        error.args = (outer + message.removeprefix(inner),)
