"""CuPy arrays: kernels from the formulas' CUDA C++, on the array's device and the current stream.

- `direct`: calls on contiguous arrays, which are a single launch
- `prepared`: repeated calls, which methods find by the array's type
- `packed`: contiguous arrays, 16 bytes at a time
- `pitched`: the same for rows of wider arrays, such as the halves of one
- `lut`: large 16-bit arrays, by a table of all results
- `elementwise`: any other layout, by `cupy.ElementwiseKernel`
- `storage`: the format of numbers in memory, and the conversion of 16-bit ones to float32 and back
- `fused`: inside `cupy.fuse`, and for `cupyx.jit`, whose kernels are CuPy's own
- `foreign`: other libraries' arrays in GPU memory, as CuPy arrays, without a copy

Once kernels are compiled and tables made, nothing is synchronised, and nothing is allocated except
results and copies of operands that partly overlap a result.
"""

from collections.abc import Callable
from functools import cache, partial
from math import prod
from typing import Any

import cupy
import numpy as np

from gpu_sigmoid.backends.cupy import elementwise, fused, lut, packed, pitched
from gpu_sigmoid.backends.cupy.direct import Direct
from gpu_sigmoid.backends.cupy.foreign import adopted, is_foreign, run_into
from gpu_sigmoid.backends.cupy.prepared import Call, described
from gpu_sigmoid.backends.outputs import broadcast_shape, checked_out
from gpu_sigmoid.backends.placed import (
    Overlaps,
    Placed,
    apart,
    common_device,
    ordered_strides,
    refuse_misaligned,
    shaped_like,
)
from gpu_sigmoid.backends.prepared import Calls
from gpu_sigmoid.dtypes import result_name, rounded

NUMBERS = (int, float, np.generic)


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on arrays of one GPU."""
    if any(isinstance(operand, fused.Placeholder) for operand in operands):
        return fused.run(method, operands, out)
    if is_foreign(out):
        return run_into(run, method, operands, out)
    arrays = tuple(adopted(method, o) for o in operands)
    name = result_name(method, arrays)
    dtype = storage_dtype(name, arrays)
    outs = checked_out(method, dtype, arrays, out, cupy.ndarray, placed)
    given = [a for a in (*arrays, *outs) if isinstance(a, cupy.ndarray)]
    for array in given:
        refuse_misaligned(method.label, placed(array))
    with one_device(method, given):
        ready = tuple(as_operand(method, a, dtype) for a in arrays)
        allocate = allocator(arrays, broadcast_shape(method, arrays), dtype)
        results = tuple(allocate() if o is None else o for o in outs)
        separate = tuple(copied_if_overlapping(method, a, outs) for a in ready)
        if results[0].size:
            launch = launcher(method, name, separate, results)
            launch(separate, results)
            if all(a is o or isinstance(o, NUMBERS) for a, o in zip(separate, operands, strict=True)):
                read = sum(isinstance(a, cupy.ndarray) for a in arrays)
                overlaps = Overlaps([placed(a) for a in given], read)
                number = partial(as_operand, method, dtype=dtype)
                call = Call(number, allocate, launch, overlaps, len(results))
                calls_of(method).remember(operands, out, call)
    return results if len(results) > 1 else results[0]


@cache
def calls_of(method: Any) -> Calls:
    """Return a method's prepared calls, and register them under the array's type."""
    calls = Calls(described)
    method.ready[cupy.ndarray] = Direct(method, otherwise=calls)
    return calls


def launcher(method: Any, name: str, operands: tuple, results: tuple) -> Callable[[tuple, tuple], None]:
    """Return the computation for operands with the layout of these."""
    formula, mode = method.formula, method.mode
    places = [placed(o) if isinstance(o, cupy.ndarray) else None for o in operands]
    layout = pitched.rows_of(results[0].shape, places, [placed(r) for r in results])
    if layout is not None and layout.rows > 1:
        rows = pitched.prepared(formula, mode, name, layout)
        if rows is not None:
            return lambda operands, results: rows.start(packed.in_order(operands, results, layout.kinds))
    elif layout is not None:
        if packed.VECTORS in layout.kinds and lut.serves(formula, mode, name, operands):
            return lambda operands, results: lut.launch(formula, mode, name, operands, results)
        return lambda operands, results: packed.launch(formula, mode, name, operands, results, layout.kinds)
    return lambda operands, results: elementwise.launch(formula, mode, name, operands, results)


def one_device(method: Any, arrays: list) -> Any:
    devices = {array.device.id: array.device for array in arrays}
    return devices[common_device(method.label, devices)]


def storage_dtype(name: str, arrays: tuple) -> np.dtype:
    if name != "bfloat16":
        return np.dtype(name)
    return next(a.dtype for a in arrays if getattr(a, "dtype", None) is not None and a.dtype.name == name)


def as_operand(method: Any, operand: Any, dtype: np.dtype) -> Any:
    """Return an array of `dtype`, or a NumPy scalar of `dtype`, which kernels take by value."""
    if not isinstance(operand, cupy.ndarray):
        return rounded(operand, dtype)
    if operand.dtype == dtype:
        return operand
    refuse_in_capture(method, f"an operand of {operand.dtype} is converted to {dtype}", "convert it")
    return elementwise.converted(operand, dtype)


def allocator(operands: tuple, shape: tuple[int, ...], dtype: np.dtype) -> Callable[[], Any]:
    """Return a function that makes arrays for results, in the memory order of an operand."""
    like = shaped_like(shape, [a for a in operands if isinstance(a, cupy.ndarray)])
    if like is None or like.flags.c_contiguous:
        return partial(cupy.ndarray, shape, dtype)
    strides = ordered_strides(shape, dtype.itemsize, like.strides)
    nbytes = prod(shape) * dtype.itemsize
    return lambda: cupy.ndarray(shape, dtype, cupy.cuda.alloc(nbytes), strides)


def copied_if_overlapping(method: Any, operand: Any, outs: tuple) -> Any:
    """Return the operand, or a copy if it overlaps an output without being exactly that.

    With two results it is copied even if it is one of them, since the other may be written first.
    """
    if not isinstance(operand, cupy.ndarray):
        return operand
    place = placed(operand)
    for target in (placed(out) for out in outs if out is not None):
        if place != target and not apart(place, target):
            refuse_in_capture(method, "an operand that partly overlaps out has to be copied", "copy it")
            return operand.copy()
    return operand


def refuse_in_capture(method: Any, reason: str, remedy: str) -> None:
    """Raise a RuntimeError if a temporary array would be freed before a captured graph is replayed."""
    if cupy.cuda.get_current_stream().is_capturing():
        raise RuntimeError(
            f"{method.label}: {reason}, which takes memory that a captured graph would not own when it is "
            f"replayed: {remedy} before the capture"
        )


def placed(array: Any) -> Placed:
    return Placed(array.data.ptr, array.shape, array.strides, array.dtype)
