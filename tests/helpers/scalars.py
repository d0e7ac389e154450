"""The functions on scalars, and functions of them for Numba to compile."""

import inspect
import textwrap
from collections.abc import Callable
from types import ModuleType
from typing import Any

from gpu_sigmoid import device

ARITIES = {
    1: lambda f: lambda x: f(x),
    2: lambda f: lambda x, y: f(x, y),
    3: lambda f: lambda x, y, z: f(x, y, z),
    4: lambda f: lambda x, y, z, u: f(x, y, z, u),
}


def scalar_method(function: Any, name: str) -> Any:
    """Return mode `name` of a function on scalars."""
    return device.find(function.methods[name].name)


def loop(f: Any, inputs: int, outputs: int, first: str = "0", step: str = "1", **scope: Any) -> Any:
    """Return a function that fills arrays with f of others, for Numba to compile."""
    names = [f"{kind}{i}" for kind, count in (("x", inputs), ("y", outputs)) for i in range(count)]
    elements = [f"{name}[i]" for name in names]
    namespace = {"f": f, **scope}
    exec(
        f"def fill({', '.join(names)}):\n"
        f"    for i in range({first}, len(x0), {step}):\n"
        f"        {', '.join(elements[inputs:])} = f({', '.join(elements[:inputs])})",
        namespace,
    )
    return namespace["fill"]


def shows(module: ModuleType, example: Callable) -> bool:
    """Return whether a module's docstring contains a test's function, word for word."""
    source = textwrap.dedent(inspect.getsource(example))
    return textwrap.indent(source, "    ") in (module.__doc__ or "")
