"""The dtype of a result on JAX arrays, weak or not, by JAX's rules of promotion."""

import warnings
from functools import reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gpu_sigmoid.dtypes import ACCEPTED_BY_DEFAULT, DTYPES, accepted_name


def taken(method: Any, operand: Any) -> Any:
    """Return an operand in a form that JAX accepts."""
    # JAX 0.9 takes it for an array too
    if isinstance(operand, jax.Ref):
        raise TypeError(f"{method.label}: a jax.Ref is not accepted; pass ref[...], the array that it holds")
    if isinstance(operand, jax.Array | float | int):
        return operand
    if isinstance(operand, np.ma.MaskedArray):
        raise TypeError(
            f"{method.label}: NumPy's masked arrays are not accepted beside JAX arrays, which have no mask; "
            "pass operand.filled(...), a NumPy array"
        )
    array = np.asarray(operand)
    if accepted_name(array.dtype) is None:
        raise refusal(method, array.dtype)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def refusal(method: Any, dtype: Any) -> TypeError:
    return TypeError(f"{method.label}: dtype {dtype} is not accepted; accepted are {ACCEPTED_BY_DEFAULT}")


def of_one_dtype(method: Any, operands: tuple) -> list[Any]:
    """Return operands as arrays of the result's dtype, weakly typed where JAX's would be."""
    arrays = [jnp.asarray(o) for o in operands]
    for array in arrays:
        if not is_exact(array.dtype) and array.dtype.name not in DTYPES:
            raise refusal(method, array.dtype)
    allow_ranks(method, arrays)
    # JAX tells weakness only for a result; the dtype of a sum is the operands' common one
    scalars = [jax.ShapeDtypeStruct((), a.dtype, weak_type=a.weak_type) for a in arrays]
    common = jax.eval_shape(lambda *s: reduce(add, s), *scalars)
    dtype = jnp.result_type(float) if is_exact(common.dtype) else common.dtype
    return [converted(array, dtype, common.weak_type) for array in arrays]


def is_exact(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.bool_)


def converted(array: Any, dtype: Any, weak: bool) -> Any:
    if array.dtype == dtype:
        return array
    # a conversion gives a strong type, a product with a Python number a weak one of the default dtype
    if weak and is_exact(array.dtype) and dtype == jnp.result_type(float):
        return array * 1.0
    return array.astype(dtype)


def allow_ranks(method: Any, arrays: list[Any]) -> None:
    """Warn or raise if ranks differ and jax_numpy_rank_promotion asks for that."""
    setting = jax.config.jax_numpy_rank_promotion
    if setting == "allow" or len({a.ndim for a in arrays if a.ndim}) < 2:
        return
    message = (
        f"{method.label}: operands of shapes {', '.join(str(a.shape) for a in arrays)} differ in number "
        f"of axes, and jax_numpy_rank_promotion is {setting!r}; reshape them to one number of axes"
    )
    if setting == "raise":
        raise ValueError(message)
    warnings.warn(message, stacklevel=2)
