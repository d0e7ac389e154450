"""The lowering of a method in XLA's programs: a call of a native handler.

On one device the call accepts numbers in place of arrays, and writes to the memory of donated operands. If
arrays may be sharded over devices, XLA's partitioners are told that the call is elementwise.
"""

from typing import Any

import jax
import numpy as np
from jax.extend.mlir.dialects import stablehlo
from jax.interpreters import mlir

from gpu_sigmoid.backends.jax import cuda, native, table


def lowered(context: Any, *operands: Any, method: Any) -> Any:
    """Lower to a call of the native handlers, the same for all platforms of a program."""
    platforms = tuple(context.platforms or context.module_context.platforms)
    if any(why_not_on(platform) is not None for platform in platforms):
        if platforms != ("cpu",):
            raise refusal(method, platforms)
        return mlir.lower_fun(lambda *a: called_back(method, *a), multiple_results=True)(context, *operands)
    if "cpu" in platforms:
        table.ready(table.key_of(method, context.avals_in[0].dtype.name))
    kernel = np.int64(table.key_of(method, context.avals_in[0].dtype.name))
    if is_whole(context):
        return called(context, operands, method, kernel, with_numbers=platforms == ("cpu",))
    return called_on_parts(context, operands, method, kernel)


def is_whole(context: Any) -> bool:
    """Return whether no array is sharded; a program exported from one device may be, on several."""
    # JAX's partitioning does not support symbolic shapes
    if not all(isinstance(length, int) for length in context.avals_in[0].shape):
        return True
    module = context.module_context
    on_one_device = getattr(module.axis_context, "num_devices", 0) == 1
    return on_one_device and not module.lowering_parameters.for_export


def why_not_on(platform: str) -> str | None:
    """Return why there is no handler for a platform, or None."""
    reasons = {"cpu": native.why_not, "cuda": cuda.why_not}
    return reasons[platform]() if platform in reasons else "it has no handler"


def refusal(method: Any, platforms: Any) -> TypeError:
    reasons = [f"{platform}: {reason}" for platform in platforms if (reason := why_not_on(platform))]
    return TypeError(
        f"{method.label}: JAX arrays on {', '.join(platforms)} are not supported ({'; '.join(reasons)}) and "
        "not moved implicitly: compute under jax.default_device(jax.devices('cpu')[0])"
    )


def called(context: Any, operands: Any, method: Any, kernel: np.int64, with_numbers: bool) -> Any:
    """Return the results of a native handler that accepts numbers in place of arrays."""
    numbers = [number_of(operand) if with_numbers else None for operand in operands]
    given = [operand if number is None else number for operand, number in zip(operands, numbers, strict=True)]
    layouts = [tuple(range(mlir.ir.RankedTensorType(o.type).rank))[::-1] for o in given]
    # A result that may use an operand's memory must do so: XLA would otherwise copy the result into a
    # donated operand, whereas it copies an operand that was not donated in order to keep it.
    donated = [k for k, operand in enumerate(given) if is_donated(operand)]
    call = jax.ffi.ffi_lowering(
        native.TARGET,
        operand_layouts=layouts,
        operand_output_aliases=dict(zip(donated, range(len(method.mode.partials)), strict=False)),
    )
    return call(context, *given, kernel=kernel)


def is_donated(operand: Any) -> bool:
    """Return whether a program may overwrite an operand, because `donate_argnums` names it."""
    function = getattr(operand.owner, "owner", None)
    if function is None or "arg_attrs" not in function.attributes:
        return False
    # JAX 0.8 gives some arguments as untyped values
    number = mlir.ir.BlockArgument(operand).arg_number
    attributes = mlir.ir.ArrayAttr(function.attributes["arg_attrs"])[number]
    return "tf.aliasing_output" in attributes or "jax.buffer_donor" in attributes


def number_of(operand: Any) -> Any:
    """Return the number that fills an array, None if it is not known to be constant.

    The gradient of a sum begins with such an array, which need not be written and read.
    """
    operation = getattr(operand.owner, "operation", None)
    if operation is None or operation.name not in ("stablehlo.broadcast_in_dim", "stablehlo.convert"):
        return None
    (source,) = operation.operands
    if operation.name == "stablehlo.broadcast_in_dim":
        return source if mlir.ir.RankedTensorType(source.type).rank == 0 else None
    # JAX computes sums of 16-bit numbers in 32 bits
    if (number := number_of(source)) is None:
        return None
    element = mlir.ir.RankedTensorType(operand.type).element_type
    return stablehlo.convert(mlir.ir.RankedTensorType.get([], element), number)


def called_on_parts(context: Any, operands: Any, method: Any, kernel: np.int64) -> Any:
    """Return the results of a native handler that XLA's partitioners treat as elementwise."""
    shape = context.avals_in[0].shape
    # XLA shards arrays along axes that it takes for batches, if another axis follows them
    whole = mlir.ir.RankedTensorType(operands[0].type)
    single = mlir.ir.RankedTensorType.get([*shape, 1], whole.element_type)
    layout, outputs = tuple(range(len(shape), -1, -1)), len(method.mode.partials)
    call = jax.ffi.ffi_lowering(
        native.TARGET,
        operand_layouts=[layout] * len(operands),
        result_layouts=[layout] * outputs,
        result_types=[single] * outputs,
        extra_attributes=partitioning(shape, len(operands), outputs),
    )
    results = call(context, *(stablehlo.reshape(single, o) for o in operands), kernel=kernel)
    return [stablehlo.reshape(whole, result) for result in results]


def partitioning(shape: tuple[int, ...], inputs: int, outputs: int) -> dict[str, Any]:
    """Return the attributes that let XLA's partitioners shard all operands along any axis."""
    factors = ["ijklmnopqrstuvwxyz"[k] if k < 18 else f"z_{k - 17}" for k in range(len(shape) + 1)]
    operand = f"[{', '.join(factors)}]"
    sizes = ", ".join(f"{factor}={length}" for factor, length in zip(factors, (*shape, 1), strict=True))
    rule = f"({', '.join([operand] * inputs)})->({', '.join([operand] * outputs)}) {{{sizes}}}, custom"
    return {
        "mhlo.frontend_attributes": mlir.ir_attribute({"num_batch_dims": str(len(shape))}),
        "sdy.sharding_rule": mlir.ir.Attribute.parse(f"#sdy.op_sharding_rule<{rule}>"),
    }


def called_back(method: Any, *arrays: Any) -> Any:
    """Compute by a call back to Python, if there is no native handler."""
    like = jax.ShapeDtypeStruct(arrays[0].shape, arrays[0].dtype)
    several = len(method.mode.partials) > 1

    def on_host(*operands: Any) -> Any:
        results = method(*map(np.asarray, operands))
        return results if several else (results,)

    return jax.pure_callback(on_host, (like,) * len(method.mode.partials), *arrays)
