"""The libraries compared, a module each.

Each has `prepare(case, inputs, outs)`, which returns what is to be timed, a call without
arguments that returns the result, or None where the library does not offer the case. One
that is told how many threads to use has `set_threads(n)`. None of them is imported before
it is asked for.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from bench.cases import Case

Prepare = Callable[[Case, tuple, tuple], Callable[[], Any] | None]

HOST = ("numpy", "scipy", "numexpr", "torch", "jax", "onnxruntime")
CUDA = ("cupy", "torch", "triton")
DISTRIBUTIONS = {"jax": ("jax", "jaxlib"), "cupy": ("cupy-cuda13x", "cupy-cuda12x")}
"""Those that a library's results depend on, where it is not one of its own name."""


def distributions(name: str) -> tuple[str, ...]:
    """Return the distributions whose versions matter to a library's figures."""
    return DISTRIBUTIONS.get(name, (name,))


@cache
def load(name: str, threads: int) -> Prepare | None:
    """Return a library's `prepare`, None where it is not installed."""
    try:
        module = import_module(f"{__name__}.{name}")
    except ImportError:
        return None
    if threads and hasattr(module, "set_threads"):
        module.set_threads(threads)
    return module.prepare
