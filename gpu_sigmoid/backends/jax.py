"""JAX arrays, traced or not: a call back to the CPU's kernels, with derivatives of our own.

The other way, the formulas written in jax.lax, cannot give the same bits: there is no
fused multiply-add to ask for, while XLA contracts a product and a sum into one where it
likes, and it flushes subnormals (both seen on the CPU with JAX 0.10.2: a * b - c kept the
product's error, 1e-39 * 0.5 was 0). The call back costs some 100 us, and host memory is
where it works: arrays on a GPU are refused rather than moved.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gpu_sigmoid.bounds import DTYPES
from gpu_sigmoid.components import method, outputs
from gpu_sigmoid.dtypes import ACCEPTED
from gpu_sigmoid.functions import FUNCTIONS, FunctionOfTarget
from gpu_sigmoid.outputs import refuse_out


def run(function: Any, component: str, operands: tuple, out: Any) -> Any:
    """Compute on JAX arrays; jit, vmap, grad and jvp go through."""
    refuse_out(function, out, "JAX arrays do not change; use the result, and donate_argnums under jit")
    dtype = jnp.result_type(*operands)
    if jnp.issubdtype(dtype, jnp.integer) or dtype.kind == "b":
        dtype = jnp.result_type(float)
    if dtype.name not in DTYPES:
        raise TypeError(f"{function.__name__}: dtype {dtype} is not accepted; accepted are {ACCEPTED}")
    if elsewhere := platforms(operands) - {"cpu"}:
        raise TypeError(
            f"{function.__name__}: JAX arrays on {', '.join(elsewhere)} are not served nor moved unasked: "
            "compute under jax.default_device(jax.devices('cpu')[0]), or pass cupy.from_dlpack(array)"
        )
    arrays = jnp.broadcast_arrays(*(jnp.asarray(o, dtype) for o in operands))
    return differentiable(function.__name__, component)(*arrays)


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
def differentiable(name: str, component: str) -> Callable[..., Any]:
    """Return a component as a function of JAX arrays of one shape and dtype, with its derivative."""
    compute = method(FUNCTIONS[name], component)
    count = outputs(component)

    def on_host(*arrays: Any) -> Any:
        return compute(*(np.asarray(a) for a in arrays))

    @jax.custom_jvp
    def evaluate(*arrays: Any) -> Any:
        like = jax.ShapeDtypeStruct(arrays[0].shape, arrays[0].dtype)
        shapes = (like,) * count if count > 1 else like
        return jax.pure_callback(on_host, shapes, *arrays, vmap_method="broadcast_all")

    @evaluate.defjvp
    def derivative(arrays: tuple, tangents: tuple) -> Any:
        return evaluate(*arrays), TANGENTS[component](name, arrays, tangents)

    return evaluate


def of_value(name: str, arrays: tuple, tangents: tuple) -> Any:
    return slope(name, "grad", arrays, tangents, lambda x: -x)


def of_grad(name: str, arrays: tuple, tangents: tuple) -> Any:
    return slope(name, "grad2", arrays, tangents, lambda x: -jnp.ones_like(x))


def of_grad2(name: str, arrays: tuple, tangents: tuple) -> Any:
    raise TypeError(
        f"gpu_sigmoid has no third derivative, which that of {name}.grad2 would be; two are offered"
    )


def of_both(name: str, arrays: tuple, tangents: tuple) -> Any:
    return of_value(name, arrays, tangents), of_grad(name, arrays, tangents)


def of_vjp(name: str, arrays: tuple, tangents: tuple) -> Any:
    *operands, cotangent = arrays
    *along, of_cotangent = tangents
    grad = differentiable(name, "grad")(*operands)
    return cotangent * of_grad(name, tuple(operands), tuple(along)) + grad * of_cotangent


def slope(name: str, component: str, arrays: tuple, tangents: tuple, by_target: Callable) -> Any:
    """Return the tangent of a result that is linear in the target, if it has one."""
    total = differentiable(name, component)(*arrays) * tangents[0]
    if isinstance(FUNCTIONS[name], FunctionOfTarget):
        total = total + by_target(arrays[0]) * tangents[1]
    return total


TANGENTS: dict[str, Callable[[str, tuple, tuple], Any]] = {
    "value": of_value,
    "grad": of_grad,
    "grad2": of_grad2,
    "value_and_grad": of_both,
    "vjp": of_vjp,
}
