"""JAX arrays, traced or not: calls of native code from XLA's programs, with the kernels' own derivatives.

- `promotion` gives operands the dtype of the result
- `primitive` is what JAX traces and transforms, `programs` what it becomes in a program
- `native` registers `handler` with XLA: code compiled by Numba (`memory`, `calls`) that finds a kernel
  in the `table`, and its operands in XLA's call `frame`
- `cuda` does so for GPUs: `cuda_handler` launches CuPy's kernels

The formulas written in jax.lax could not give the same bits: there is no fused multiply-add to ask
for, while XLA contracts a product and a sum into one where it likes, and it flushes subnormals (both
seen on the CPU with JAX 0.10.2: a * b - c kept the product's error, 1e-39 * 0.5 was 0).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax

# the first that has jax.lax.pcast
if jax.__version_info__ < (0, 8, 2):
    raise ImportError(f"gpu_sigmoid takes arrays of JAX 0.8.2 and later, this is {jax.__version__}")

from gpu_sigmoid.backends.jax import native
from gpu_sigmoid.backends.jax.primitive import bind
from gpu_sigmoid.backends.jax.promotion import of_one_dtype, taken
from gpu_sigmoid.outputs import refuse_out

INLINE = getattr(getattr(jax, "Inline", None), "JAX_EARLY", True)
"""Into the trace around it, which is what True said before JAX had words for it."""

# for programs that were made elsewhere: they need the handler, and nothing of this module
native.why_not()


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on JAX arrays; all of JAX's transformations go through."""
    refuse_out(method, out, "JAX arrays do not change; use the result, and donate_argnums under jit")
    arrays = tuple(taken(method, o) for o in operands)
    first = type(operands[0])
    if issubclass(first, jax.Array) and not issubclass(first, jax.core.Tracer):
        method.ready[first] = direct(method, first)
    return compiled(method)(*arrays)


def direct(method: Any, array_type: type) -> Callable[[tuple, Any], Any]:
    """Return the method for arrays that exist, which `dispatch` calls."""
    call, taken = compiled(method), {array_type, float, int}

    def on_one(operands: tuple, out: Any) -> Any:
        return call(*operands) if out is None else NotImplemented

    def on_several(operands: tuple, out: Any) -> Any:
        return call(*operands) if out is None and taken.issuperset(map(type, operands)) else NotImplemented

    return on_one if len(method.operands) == 1 else on_several


@cache
def compiled(method: Any) -> Callable[..., Any]:
    """Return a method as a function that JAX keeps compiled: its quickest way for arrays that exist."""

    def promoted(*operands: Any) -> Any:
        results = bind(method, *of_one_dtype(method, operands))
        return tuple(results) if len(results) > 1 else results[0]

    promoted.__name__ = promoted.__qualname__ = method.label
    return jax.jit(promoted, inline=INLINE)
