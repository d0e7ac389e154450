"""JAX arrays, traced or not: a call back to the CPU's kernels, with derivatives of our own.

The other way, the formulas written in jax.lax, cannot give the same bits: there is no
fused multiply-add to ask for, while XLA contracts a product and a sum into one where it
likes, and it flushes subnormals (both seen on the CPU with JAX 0.10.2: a * b - c kept the
product's error, 1e-39 * 0.5 was 0). The call back costs some 100 us, and host memory is
where it works: arrays on a GPU are refused rather than moved.
"""

from collections.abc import Callable
from functools import cache, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gpu_sigmoid.dtypes import ACCEPTED, DTYPES
from gpu_sigmoid.modes import Partial
from gpu_sigmoid.outputs import refuse_out


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on JAX arrays; jit, vmap, grad and jvp go through."""
    refuse_out(method, out, "JAX arrays do not change; use the result, and donate_argnums under jit")
    dtype = jnp.result_type(*operands)
    if jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.bool_):
        dtype = jnp.result_type(float)
    if dtype.name not in DTYPES:
        raise TypeError(f"{method.label}: dtype {dtype} is not accepted; accepted are {ACCEPTED}")
    if elsewhere := platforms(operands) - {"cpu"}:
        raise TypeError(
            f"{method.label}: JAX arrays on {', '.join(elsewhere)} are not served nor moved unasked: "
            "compute under jax.default_device(jax.devices('cpu')[0]), or pass cupy.from_dlpack(array)"
        )
    arrays = jnp.broadcast_arrays(*(jnp.asarray(o, dtype) for o in operands))
    return differentiable(method)(*arrays)


def platforms(operands: tuple) -> set[str]:
    """Return the kinds of devices that operands are on, or, traced, will be on."""
    found: set[str] = set()
    for operand in operands:
        if isinstance(operand, jax.core.Tracer):
            device = jax.config.jax_default_device
            found.add(getattr(device, "platform", device) or jax.default_backend())
        elif isinstance(operand, jax.Array):
            found |= {device.platform for device in operand.devices()}
    return found


@cache
def differentiable(method: Any) -> Callable[..., Any]:
    """Return a method as a function of JAX arrays of one shape and dtype, with its derivative."""
    count = len(method.mode.partials)

    def on_host(*arrays: Any) -> Any:
        return method(*(np.asarray(a) for a in arrays))

    @jax.custom_jvp
    def evaluate(*arrays: Any) -> Any:
        like = jax.ShapeDtypeStruct(arrays[0].shape, arrays[0].dtype)
        shapes = (like,) * count if count > 1 else like
        return jax.pure_callback(on_host, shapes, *arrays, vmap_method="broadcast_all")

    @evaluate.defjvp
    def derivative(arrays: tuple, tangents: tuple) -> Any:
        results = tuple(tangent_of(method, partial, arrays, tangents) for partial in method.mode.partials)
        return evaluate(*arrays), results if count > 1 else results[0]

    return evaluate


def tangent_of(method: Any, partial: Partial, arrays: tuple, tangents: tuple) -> Any:
    """Return the tangent of one result, by the chain rule."""
    function = method.function
    count = len(method.signature.operands)
    operands, cotangent = arrays[:count], arrays[count:]
    terms = [
        one_partial(function, (*partial, i), operands) * tangents[i]
        for i in range(method.signature.differentiable)
    ]
    along_operands = reduce(add, terms)
    if not cotangent:
        return along_operands
    return cotangent[0] * along_operands + one_partial(function, partial, operands) * tangents[-1]


def one_partial(function: Any, partial: Partial, operands: tuple) -> Any:
    if len(partial) > 2:
        raise TypeError(
            f"gpu_sigmoid has no third derivative, which that of {function.label}.grad2 would be; "
            "two are offered"
        )
    return differentiable(function.method_of(tuple(sorted(partial))))(*operands)
