"""One JAX primitive for all methods, with its rules for types, batches and derivatives.

JAX's transformations use these rules, in any combination.
"""

from functools import cache, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from gpu_sigmoid.backends.jax.programs import lowered
from gpu_sigmoid.modes import Partial

ELEMENTWISE = Primitive("gpu_sigmoid")
"""Takes arrays of one shape and dtype, and returns a list of such arrays."""

ELEMENTWISE.multiple_results = True


def bind(method: Any, *arrays: Any) -> list[Any]:
    """Compute a method on arrays that broadcast, of one dtype."""
    return ELEMENTWISE.bind(*alike(jnp.broadcast_arrays(*arrays)), method=method)


def alike(arrays: list[Any]) -> list[Any]:
    """Return arrays of one shape with the same sharding, as JAX's own operations would."""
    if len(arrays) == 1:
        return arrays
    if len({jax.typeof(a).sharding for a in arrays}) > 1:
        common = jax.eval_shape(lambda *a: reduce(add, a), *arrays).sharding
        # None if XLA chooses
        arrays = [a if common is None else jax.sharding.reshard(a, common) for a in arrays]
    axes = [varied_axes(a) for a in arrays]
    missing = [frozenset().union(*axes) - own for own in axes]
    return [
        jax.lax.pcast(a, tuple(sorted(more)), to="varying") if more else a
        for a, more in zip(arrays, missing, strict=True)
    ]


def varied_axes(array: Any) -> frozenset:
    """Return the mesh axes of a `jax.shard_map` along which an array is known to vary."""
    kind = jax.typeof(array)
    return kind.mat.varying if hasattr(kind, "mat") else getattr(kind, "vma", frozenset())


@ELEMENTWISE.def_abstract_eval
def typed(*operands: Any, method: Any) -> list[Any]:
    weak = all(operand.weak_type for operand in operands)
    return [operands[0].update(weak_type=weak)] * len(method.mode.partials)


@ELEMENTWISE.def_impl
def evaluated(*arrays: Any, method: Any) -> list[Any]:
    """Compute on concrete arrays: in a gradient outside `jax.jit`, or under `jax.disable_jit`."""
    with jax.disable_jit(False):
        return program(method)(*arrays)


@cache
def program(method: Any) -> Any:
    def on_arrays(*arrays: Any) -> Any:
        return ELEMENTWISE.bind(*arrays, method=method)

    on_arrays.__name__ = on_arrays.__qualname__ = method.label
    # Under jax.debug_nans and jax.debug_infs JAX calls a function without jit to find the primitive at
    # fault, which would lead back here endlessly: this declares the function to be one primitive.
    on_arrays._apply_primitive = True  # type: ignore[attr-defined]
    return jax.jit(on_arrays)


def batched(arrays: Any, axes: Any, *, method: Any) -> tuple[list[Any], list[int]]:
    size = next(a.shape[axis] for a, axis in zip(arrays, axes, strict=True) if axis is not None)
    first = [batching.bdim_at_front(a, axis, size) for a, axis in zip(arrays, axes, strict=True)]
    return bind(method, *first), [0] * len(method.mode.partials)


def pushed_forward(primals: Any, tangents: Any, *, method: Any) -> tuple[list[Any], list[Any]]:
    results = bind(method, *primals)
    return results, [
        tangent_of(method, partial, primals, tangents, result)
        for partial, result in zip(method.mode.partials, results, strict=True)
    ]


def tangent_of(method: Any, partial: Partial, primals: Any, tangents: Any, result: Any) -> Any:
    """Return the tangent of one result, by the chain rule.

    Constant operands add nothing, not even nan where the derivative with respect to them is infinite.
    """
    count, function = len(method.signature.operands), method.function
    operands, weight = primals[:count], primals[count:]
    terms = []
    for i, tangent in enumerate(tangents[: method.signature.differentiable]):
        if type(tangent) is not ad.Zero:
            moved = weight[0] * tangent if weight else tangent
            terms.append(weighted(function, (*partial, i), operands, moved))
    if weight and type(tangents[-1]) is not ad.Zero:
        terms.append(weighted(function, partial, operands, tangents[-1]))
    return reduce(add, terms) if terms else ad.Zero(jax.typeof(result).to_tangent_aval())


def weighted(function: Any, partial: Partial, operands: Any, weight: Any) -> Any:
    """Return a partial derivative times a weight.

    First derivatives use the weighted method, whose product underflows only where the result does.
    """
    if len(partial) == 1:
        return bind(function.method_of(partial, weighted=True), *operands, weight)[0]
    return bind(function.method_of(partial), *operands)[0] * weight


def transposed(cotangents: Any, *operands: Any, method: Any) -> list[Any]:
    """Return the cotangent of a weight; the result is linear only in it, and the method its own transpose."""
    *others, weight = operands
    if not ad.is_undefined_primal(weight) or any(map(ad.is_undefined_primal, others)):
        raise TypeError(f"{method.label} is not linear")
    (cotangent,) = cotangents
    if type(cotangent) is ad.Zero:
        return [None] * len(others) + [ad.Zero(weight.aval)]
    return [None] * len(others) + bind(method, *others, cotangent)


batching.primitive_batchers[ELEMENTWISE] = batched
ad.primitive_jvps[ELEMENTWISE] = pushed_forward
ad.primitive_transposes[ELEMENTWISE] = transposed


# a lowering that JAX cached for another call would not see how the operands are made
mlir.register_lowering(ELEMENTWISE, lowered, cacheable=False)
