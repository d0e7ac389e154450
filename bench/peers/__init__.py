"""The libraries compared, a module each.

Each has `prepare(case, inputs, outs)`, which returns the call to be timed (without arguments; it returns
the result), or None if the library does not offer the case. A library with a setting for the number of
threads has `set_threads(n)`. No library is imported before it is needed.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import click

from bench.cases import Case

Prepare = Callable[[Case, tuple, tuple], Callable[[], Any] | None]

HOST = ("numpy", "scipy", "numexpr", "torch", "jax", "tensorflow", "onnxruntime", "openvino")
CUDA = ("cupy", "torch", "triton")
DISTRIBUTIONS = {
    "jax": ("jax", "jaxlib"),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "cupy": ("cupy-cuda13x", "cupy-cuda12x"),
}
"""The distributions of a library whose name differs."""
OF_VALUE = ("sigmoid", "tanh")
"""Functions whose derivative libraries compute from the value, the others' from the operand."""


def distributions(name: str) -> tuple[str, ...]:
    """Return the distributions whose versions matter to a library's figures."""
    return DISTRIBUTIONS.get(name, (name,))


@cache
def load(name: str, threads: int) -> Prepare | None:
    """Return a library's `prepare`, or None, and say why, if it cannot be imported."""
    try:
        module = import_module(f"{__name__}.{name}")
    except ImportError as error:
        click.echo(f"without {name}: {error}", err=True)
        return None
    if threads and hasattr(module, "set_threads"):
        module.set_threads(threads)
    return module.prepare
