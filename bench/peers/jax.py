"""JAX: its activations, compiled. It has no `out=`: every call makes a new array."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.cases import Case

jax.config.update("jax_enable_x64", True)

VALUES: dict[str, Callable[..., Any]] = {
    "sigmoid": jax.nn.sigmoid,
    "log_sigmoid": jax.nn.log_sigmoid,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "tanh": jnp.tanh,
    "logit": jax.scipy.special.logit,
    "log1mexp": lambda x: jax.nn.log1mexp(-x),
    "softplus_inverse": lambda x: jnp.log(jnp.expm1(x)),
    "bce_with_logits": lambda x, t: jax.nn.softplus(x) - x * t,
    "glu": lambda a, b: a * jax.nn.sigmoid(b),
    "swiglu": lambda a, b: jax.nn.silu(a) * b,
}


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    value = VALUES.get(case.function)
    # its arrays have no strides, so it would get a contiguous copy
    if (
        value is None
        or case.layout not in ("out", "new")
        or case.mode not in ("value", "grad", "value_and_grad", "vjp")
    ):
        return None
    gradients = case.method.function.signature.gradients

    def pulled(operands: tuple, cotangent: Any = None) -> tuple[Any, Any]:
        """Return the value and the derivatives, times a cotangent if there is one."""
        y, pull = jax.vjp(lambda *by: value(*by, *operands[gradients:]), *operands[:gradients])
        return y, pull(jnp.ones_like(y) if cotangent is None else cotangent)

    def both(*operands: Any) -> tuple:
        y, found = pulled(operands)
        return y, *found

    select = {
        "value": value,
        "grad": lambda *operands: alone(pulled(operands)[1]),
        "value_and_grad": both,
        "vjp": lambda *operands: alone(pulled(operands[:-1], operands[-1])[1]),
    }
    compiled = jax.jit(select[case.mode])
    arrays = [jnp.asarray(a) for a in inputs]
    return lambda: jax.block_until_ready(compiled(*arrays))


def alone(results: tuple) -> Any:
    return results if len(results) > 1 else results[0]
