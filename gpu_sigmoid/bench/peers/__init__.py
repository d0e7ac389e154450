"""The contenders, a module each.

Each has `prepare(case, inputs, outs)`, which returns what is to be timed, a call
without arguments that returns the result, or None where the library does not offer the
case. One that is told
how many threads to use has `set_threads(n)`. None of them is imported before it is
asked for.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from gpu_sigmoid.bench.cases import Case

Prepare = Callable[[Case, tuple, tuple], Callable[[], Any] | None]

HOST = ("numpy", "scipy", "numexpr", "torch", "jax", "onnxruntime")
CUDA = ("cupy", "torch", "triton")
MODULES = {"gpu_sigmoid": "ours"}


@cache
def load(name: str, threads: int) -> Prepare | None:
    """Return a contender's `prepare`, None where the library is not installed."""
    try:
        module = import_module(f"{__name__}.{MODULES.get(name, name)}")
    except ImportError:
        return None
    if threads and hasattr(module, "set_threads"):
        module.set_threads(threads)
    return module.prepare
