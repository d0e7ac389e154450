"""Values of which there must be one, although several threads may ask for them first."""

from collections.abc import Callable
from functools import cache, wraps
from threading import RLock
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def once(function: Function) -> Function:
    """Cache a function's results, as `functools.cache` does, and let one thread at a time compute them.

    With that alone, threads that call at the same time each compute the result and keep the last. That is
    wrong where the function registers something, which fails the second time, or where its result is an
    address that others compare.
    """
    cached, running = cache(function), RLock()

    @wraps(function)
    def call(*operands: Any) -> Any:
        with running:
            return cached(*operands)

    call.cache_clear = cached.cache_clear  # type: ignore[attr-defined]
    return call  # type: ignore[return-value]
