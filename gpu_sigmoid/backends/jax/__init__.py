"""JAX arrays, traced or not: calls of native code from XLA's programs, with the kernels' own derivatives.

- `promotion` gives operands the dtype of the result
- `primitive` is the primitive that JAX traces and transforms, `programs` its lowering to XLA's programs
- `native` registers `handler` with XLA: code compiled by Numba (`calls`) that finds a kernel
  in the `table`, and its operands in XLA's call `frame`
- `cuda` does the same for GPUs: `cuda_handler` launches CuPy's kernels

The formulas could not give the same bits in jax.lax: it has no fused multiply-add, XLA contracts products
and sums where it likes, and it flushes subnormals (both seen on the CPU with JAX 0.10.2: a * b - c kept
the product's error, 1e-39 * 0.5 was 0).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax

# the first version with jax.lax.pcast
if jax.__version_info__ < (0, 8, 2):
    raise ImportError(f"gpu_sigmoid takes arrays of JAX 0.8.2 and later, this is {jax.__version__}")

from gpu_sigmoid.backends.jax import native
from gpu_sigmoid.backends.jax.primitive import bind
from gpu_sigmoid.backends.jax.promotion import of_one_dtype, taken
from gpu_sigmoid.backends.outputs import refuse_out

INLINE = getattr(getattr(jax, "Inline", None), "JAX_EARLY", True)
"""Inline into the surrounding trace; older JAX versions spell this True."""

# for programs made elsewhere, which need only the handler
native.why_not()


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on JAX arrays, under all of JAX's transformations."""
    refuse_out(method, out, "JAX arrays do not change; use the result, and donate_argnums under jit")
    arrays = tuple(taken(method, o) for o in operands)
    first = type(operands[0])
    if issubclass(first, jax.Array) and not issubclass(first, jax.core.Tracer):
        method.ready[first] = direct(method, first)
    return compiled(method)(*arrays)


def direct(method: Any, array_type: type) -> Callable[[tuple, Any], Any]:
    """Return the call for concrete arrays that a method makes first."""
    call, taken = compiled(method), {array_type, float, int}

    def on_one(operands: tuple, out: Any) -> Any:
        return call(*operands) if out is None else NotImplemented

    def on_several(operands: tuple, out: Any) -> Any:
        return call(*operands) if out is None and taken.issuperset(map(type, operands)) else NotImplemented

    return on_one if len(method.operands) == 1 else on_several


@cache
def compiled(method: Any) -> Callable[..., Any]:
    """Return a method as a function that JAX keeps compiled, its fastest way for concrete arrays."""

    def promoted(*operands: Any) -> Any:
        results = bind(method, *of_one_dtype(method, operands))
        return tuple(results) if len(results) > 1 else results[0]

    promoted.__name__ = promoted.__qualname__ = method.label
    return jax.jit(promoted, inline=INLINE)
