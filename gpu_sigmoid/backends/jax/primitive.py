"""One JAX primitive for all methods: how it is typed, batched, differentiated and lowered.

JAX's transformations go by these rules, whichever of them are stacked.
"""

from functools import cache, reduce
from operator import add
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.extend.mlir.dialects import stablehlo
from jax.interpreters import ad, batching, mlir

from gpu_sigmoid.backends.jax import cuda, native, table
from gpu_sigmoid.modes import Partial

ELEMENTWISE = Primitive("gpu_sigmoid")
"""Takes arrays of one shape and dtype, returns a list of such arrays."""

ELEMENTWISE.multiple_results = True


def bind(method: Any, *arrays: Any) -> list[Any]:
    """Compute a method on arrays that broadcast, of one dtype."""
    return ELEMENTWISE.bind(*alike(jnp.broadcast_arrays(*arrays)), method=method)


def alike(arrays: list[Any]) -> list[Any]:
    """Return arrays of one shape laid over a mesh alike, as JAX's own operations would take them."""
    if len(arrays) == 1:
        return arrays
    if len({jax.typeof(a).sharding for a in arrays}) > 1:
        common = jax.eval_shape(lambda *a: reduce(add, a), *arrays).sharding
        # None where it is for XLA to choose
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
    """Compute on arrays that exist: in a gradient outside of `jax.jit`, or under `jax.disable_jit`."""
    with jax.disable_jit(False):
        return program(method)(*arrays)


@cache
def program(method: Any) -> Any:
    def on_arrays(*arrays: Any) -> Any:
        return ELEMENTWISE.bind(*arrays, method=method)

    on_arrays.__name__ = on_arrays.__qualname__ = method.label
    # Under jax.debug_nans and jax.debug_infs JAX calls a function without jit to find the primitive at
    # fault, which would come back here without end: this says that the function is one primitive.
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

    Operands that do not move add nothing, not even nan where a derivative by them is infinite.
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

    First ones come from one pass, whose product underflows only where the result does.
    """
    if len(partial) == 1:
        return bind(function.method_of(partial, weighted=True), *operands, weight)[0]
    return bind(function.method_of(partial), *operands)[0] * weight


def transposed(cotangents: Any, *operands: Any, method: Any) -> list[Any]:
    """Return the cotangent of a weight, by which alone the result is linear: its own transpose."""
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


def lowered(context: Any, *operands: Any, method: Any) -> Any:
    """Lower to a call of the native handlers, one for all platforms that a program is made for."""
    platforms = tuple(context.platforms or context.module_context.platforms)
    if any(why_not_on(platform) is not None for platform in platforms):
        if platforms != ("cpu",):
            raise refusal(method, platforms)
        return mlir.lower_fun(lambda *a: called_back(method, *a), multiple_results=True)(context, *operands)
    if "cpu" in platforms:
        table.ready(table.key_of(method, context.avals_in[0].dtype.name))
    # where parts of arrays are on other devices, partitioners want operands of one shape
    if platforms == ("cpu",) and getattr(context.module_context.axis_context, "num_devices", 0) == 1:
        numbers = [number_of(operand) for operand in operands]
        if any(numbers):
            return called_with_numbers(context, operands, numbers, method)
    return called(context, *operands, method=method)


def why_not_on(platform: str) -> str | None:
    """Return why there is no handler for a platform, None where there is one."""
    reasons = {"cpu": native.why_not, "cuda": cuda.why_not}
    return reasons[platform]() if platform in reasons else "it has no handler"


def refusal(method: Any, platforms: Any) -> TypeError:
    reasons = [f"{platform}: {reason}" for platform in platforms if (reason := why_not_on(platform))]
    return TypeError(
        f"{method.label}: JAX arrays on {', '.join(platforms)} are not served ({'; '.join(reasons)}), nor "
        "moved unasked: compute under jax.default_device(jax.devices('cpu')[0])"
    )


def called_with_numbers(context: Any, operands: Any, numbers: Any, method: Any) -> Any:
    """Return the results of a native handler that takes arrays, and numbers in the place of some."""
    given = [operand if number is None else number for operand, number in zip(operands, numbers, strict=True)]
    layouts = [tuple(range(mlir.ir.RankedTensorType(o.type).rank))[::-1] for o in given]
    kernel = np.int64(table.key_of(method, context.avals_in[0].dtype.name))
    return jax.ffi.ffi_lowering(native.TARGET, operand_layouts=layouts)(context, *given, kernel=kernel)


def number_of(operand: Any) -> Any:
    """Return the number that fills an array, None where it is not known to be filled with one.

    The gradient of a sum begins with such an array, which is written and read for nothing.
    """
    operation = getattr(operand.owner, "operation", None)
    if operation is None or operation.name not in ("stablehlo.broadcast_in_dim", "stablehlo.convert"):
        return None
    (source,) = operation.operands
    if operation.name == "stablehlo.broadcast_in_dim":
        return source if mlir.ir.RankedTensorType(source.type).rank == 0 else None
    # of 16-bit numbers JAX computes sums in 32 bits
    if (number := number_of(source)) is None:
        return None
    element = mlir.ir.RankedTensorType(operand.type).element_type
    return stablehlo.convert(mlir.ir.RankedTensorType.get([], element), number)


def called(context: Any, *operands: Any, method: Any) -> Any:
    """Return the results of a native handler, which XLA's partitioners know to be elementwise."""
    operand = context.avals_in[0]
    kernel = np.int64(table.key_of(method, operand.dtype.name))
    # JAX's partitioning has no notion of symbolic shapes
    if not all(isinstance(length, int) for length in operand.shape):
        return jax.ffi.ffi_lowering(native.TARGET)(context, *operands, kernel=kernel)
    # XLA parts arrays along what it takes for a batch's axes, if there is another one behind them
    whole = mlir.ir.RankedTensorType(operands[0].type)
    single = mlir.ir.RankedTensorType.get([*operand.shape, 1], whole.element_type)
    layout, outputs = tuple(range(len(operand.shape), -1, -1)), len(method.mode.partials)
    call = jax.ffi.ffi_lowering(
        native.TARGET,
        operand_layouts=[layout] * len(operands),
        result_layouts=[layout] * outputs,
        result_types=[single] * outputs,
        extra_attributes=partitioning(operand.shape, len(operands), outputs),
    )
    results = call(context, *(stablehlo.reshape(single, o) for o in operands), kernel=kernel)
    return [stablehlo.reshape(whole, result) for result in results]


def partitioning(shape: tuple[int, ...], inputs: int, outputs: int) -> dict[str, Any]:
    """Return the attributes that tell XLA's partitioners that all operands may be parted, along any axis."""
    factors = ["ijklmnopqrstuvwxyz"[k] if k < 18 else f"z_{k - 17}" for k in range(len(shape) + 1)]
    operand = f"[{', '.join(factors)}]"
    sizes = ", ".join(f"{factor}={length}" for factor, length in zip(factors, (*shape, 1), strict=True))
    rule = f"({', '.join([operand] * inputs)})->({', '.join([operand] * outputs)}) {{{sizes}}}, custom"
    return {
        "mhlo.frontend_attributes": mlir.ir_attribute({"num_batch_dims": str(len(shape))}),
        "sdy.sharding_rule": mlir.ir.Attribute.parse(f"#sdy.op_sharding_rule<{rule}>"),
    }


def called_back(method: Any, *arrays: Any) -> Any:
    """Compute by a call back to Python, where the native handler cannot be had."""
    like = jax.ShapeDtypeStruct(arrays[0].shape, arrays[0].dtype)
    several = len(method.mode.partials) > 1

    def on_host(*operands: Any) -> Any:
        results = method(*map(np.asarray, operands))
        return results if several else (results,)

    return jax.pure_callback(on_host, (like,) * len(method.mode.partials), *arrays)


# a lowering that JAX kept for another call would not see what the operands are made of
mlir.register_lowering(ELEMENTWISE, lowered, cacheable=False)
