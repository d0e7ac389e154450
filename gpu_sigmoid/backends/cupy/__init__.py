"""CuPy arrays: kernels from the formulas' CUDA C++, on the array's device and the current stream.

- `direct`: calls that are one launch, which `dispatch` finds by the array's type
- `packed`: contiguous arrays, 16 bytes at a time
- `lut`: the same, for large 16-bit arrays, by a table of all results
- `elementwise`: any other layout, by `cupy.ElementwiseKernel`
- `storage`: how numbers lie in memory, and how 16-bit ones get to float32 and back
- `foreign`: arrays of other libraries in a GPU's memory, as CuPy's, without a copy

Nothing is synchronised, and nothing allocated but results (and copies of operands that
overlap a result without being it), once kernels are compiled and tables made.
"""

from math import prod
from typing import Any

import cupy
import numpy as np

from gpu_sigmoid.backends.cupy import elementwise, lut, packed
from gpu_sigmoid.backends.cupy.direct import Direct
from gpu_sigmoid.backends.cupy.foreign import adopted, is_foreign, run_into
from gpu_sigmoid.backends.placed import Placed, apart, ordered_strides, refuse_misaligned, shaped_like
from gpu_sigmoid.dtypes import result_name
from gpu_sigmoid.outputs import broadcast_shape, checked_out


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on arrays of one GPU."""
    method.ready.setdefault(cupy.ndarray, Direct(method))
    if is_foreign(out):
        return run_into(run, method, operands, out)
    arrays = tuple(adopted(o) for o in operands)
    name = result_name(method, arrays)
    dtype = storage_dtype(name, arrays)
    outs = checked_out(method, dtype, arrays, out, cupy.ndarray, placed)
    given = [a for a in (*arrays, *outs) if isinstance(a, cupy.ndarray)]
    for array in given:
        refuse_misaligned(method.label, placed(array))
    device = one_device(method, given)
    with device:
        return compute(method, name, arrays, outs, dtype)


def compute(method: Any, name: str, arrays: tuple, outs: tuple, dtype: np.dtype) -> Any:
    formula, mode = method.formula, method.mode
    ready = tuple(as_operand(method, a, dtype) for a in arrays)
    shape = broadcast_shape(ready)
    results = tuple(fresh(ready, shape, dtype) if o is None else o for o in outs)
    ready = tuple(copied_if_overlapping(method, a, outs) for a in ready)
    if results[0].size:
        kinds = packed.kinds_of(ready, results)
        if kinds is None:
            elementwise.launch(formula, mode, name, ready, results)
        elif lut.serves(formula, mode, name, ready):
            lut.launch(formula, mode, name, ready, results)
        else:
            packed.launch(formula, mode, name, ready, results, kinds)
    return results if len(results) > 1 else results[0]


def one_device(method: Any, arrays: list) -> Any:
    devices = {array.device.id: array.device for array in arrays}
    if len(devices) > 1:
        names = " and ".join(f"GPU {number}" for number in sorted(devices))
        raise TypeError(f"{method.label}: arrays on {names}: move them to one first")
    return next(iter(devices.values()))


def storage_dtype(name: str, arrays: tuple) -> np.dtype:
    if name != "bfloat16":
        return np.dtype(name)
    return next(a.dtype for a in arrays if getattr(a, "dtype", None) is not None and a.dtype.name == name)


def as_operand(method: Any, operand: Any, dtype: np.dtype) -> Any:
    """Return an array of `dtype`, or a NumPy scalar of it, which kernels take by value."""
    if not isinstance(operand, cupy.ndarray):
        # a number that the dtype does not hold is infinity or 0 in it, as an array's element would be
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(operand).astype(dtype)[()]
    if operand.dtype == dtype:
        return operand
    refuse_in_capture(method, f"an operand of {operand.dtype} is converted to {dtype}", "convert it")
    return operand.astype(dtype)


def fresh(operands: tuple, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """Return an array for a result, in the order of an operand's memory."""
    like = shaped_like(shape, [a for a in operands if isinstance(a, cupy.ndarray)])
    if like is None:
        return cupy.empty(shape, dtype)
    memory = cupy.cuda.alloc(prod(shape) * dtype.itemsize)
    return cupy.ndarray(shape, dtype, memory, ordered_strides(shape, dtype.itemsize, like.strides))


def copied_if_overlapping(method: Any, operand: Any, outs: tuple) -> Any:
    """Return the operand, or a copy where it shares memory with an output but is not exactly it.

    With two results, being one of them is too little: the other may be written first.
    """
    if not isinstance(operand, cupy.ndarray):
        return operand
    place = placed(operand)
    for target in (placed(out) for out in outs if out is not None):
        if place != target and not apart(place, target):
            refuse_in_capture(method, "an operand that overlaps out in part is copied", "copy it")
            return operand.copy()
    return operand


def refuse_in_capture(method: Any, reason: str, remedy: str) -> None:
    """Raise a RuntimeError where a temporary array would be freed before a captured graph is replayed."""
    if cupy.cuda.get_current_stream().is_capturing():
        raise RuntimeError(
            f"{method.label}: {reason}, which takes memory that a captured graph would not own when it is "
            f"replayed: {remedy} before the capture"
        )


def placed(array: Any) -> Placed:
    return Placed(array.data.ptr, array.shape, array.strides, array.dtype)
