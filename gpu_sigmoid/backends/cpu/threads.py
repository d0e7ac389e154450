"""Large arrays in blocks, over several threads.

NumPy releases the GIL in a ufunc's loop. The calling thread takes blocks too, and the
others join when they wake: a call waits at most for one block, and never for a thread to
wake. One call at a time has the others' help; those that come meanwhile (from Dask, from
the caller's own pool) run on their own thread, which keeps the cores busy already.
"""

import os
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.workers import share
from gpu_sigmoid.backends.placed import Placed, apart
from gpu_sigmoid.environment import get_num_threads

# Bytes of a result. Another thread may take 100 us to wake, and longer where its CPU has slept: of a
# smaller result (float32 sigmoid: 0.7 ms on one thread) the caller has computed all by then.
SPLIT_FROM = 8_000_000
# Elements.
SMALLEST_BLOCK = 1 << 16
LARGEST_BLOCK = 1 << 20

# A memory map's results are plain arrays. What other subclasses do with theirs is their own.
PLAIN = (np.ndarray, np.memmap)


def run_split(ufunc: np.ufunc, dtype: np.dtype, operands: tuple, outs: tuple) -> Any:
    """Call `ufunc`, whose results have `dtype`, in blocks if that may be faster."""
    size = dtype.itemsize * max((o.size for o in operands if getattr(o, "ndim", 0)), default=0)
    if size >= SPLIT_FROM and (threads := get_num_threads()) > 1 and splittable(operands, outs):
        inputs = tuple(np.asarray(o) if isinstance(o, np.ndarray) else o for o in operands)
        results = allocated(inputs, outs, dtype)
        if separable([i for i in inputs if isinstance(i, np.ndarray)], results):
            in_blocks(ufunc, inputs, results, threads)
            returned = tuple(r if o is None else o for r, o in zip(results, outs, strict=True))
            return returned if ufunc.nout > 1 else returned[0]
    return ufunc(*operands, out=outs) if any(o is not None for o in outs) else ufunc(*operands)


def splittable(operands: tuple, outs: tuple) -> bool:
    """Return whether these are plain arrays and numbers, and results of the operands' shape."""
    given = [o for o in outs if o is not None]
    if not all(type(o) in PLAIN or isinstance(o, np.generic | int | float) for o in (*operands, *given)):
        return False
    shape = np.broadcast_shapes(*(np.shape(o) for o in operands))
    return all(o.shape == shape for o in given)


def allocated(inputs: tuple, outs: tuple, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Return the results' arrays: `outs`, and new ones in the order of memory in which a ufunc makes them."""
    if all(o is not None for o in outs):
        return tuple(np.asarray(o) for o in outs)
    kinds = ["readonly"] * len(inputs) + ["writeonly" if o is not None else "allocate" for o in outs]
    flags: Any = [[kind, "writeonly"] if kind == "allocate" else [kind] for kind in kinds]
    dtypes = [dtype if kind == "allocate" else None for kind in kinds]
    return np.nditer((*inputs, *outs), [], flags, dtypes).operands[len(inputs) :]


def separable(arrays: list[np.ndarray], results: tuple[np.ndarray, ...]) -> bool:
    """Return whether blocks are independent: a result overlaps nothing but its own input, exactly."""
    for i, result in enumerate(results):
        if overlaps_itself(result):
            return False
        for array in arrays:
            if placed(array) != placed(result) and may_overlap(array, result):
                return False
        if any(may_overlap(result, other) for other in results[:i]):
            return False
    return True


def overlaps_itself(array: np.ndarray) -> bool:
    """Return whether elements may share memory, as in a sliding window."""
    reach = array.itemsize
    for stride, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1:
            if stride < reach:
                return True
            reach += stride * (length - 1)
    return False


def may_overlap(array: np.ndarray, other: np.ndarray) -> bool:
    """Return whether the arrays may share memory, or parts of a file that is mapped twice."""
    if not apart(placed(array), placed(other)):
        return True
    map_of_array, map_of_other = memory_map(array), memory_map(other)
    if map_of_array is None or map_of_other is None or map_of_array._mmap is map_of_other._mmap:
        return False
    return os.path.realpath(map_of_array.filename) == os.path.realpath(map_of_other.filename)


def memory_map(array: Any) -> Any:
    """Return the memory map of a named file that an array is a view of, None if it is of none."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.filename is not None:
            return array
        array = array.base
    return None


def placed(array: np.ndarray) -> Placed:
    return Placed(array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)


def in_blocks(ufunc: np.ufunc, operands: tuple, results: tuple[np.ndarray, ...], threads: int) -> None:
    """Compute block by block, on as many threads as are allowed."""
    views = blockable((*operands, *results), results[0].shape)
    size = views[-1].size
    block = min(max(size // (4 * threads), SMALLEST_BLOCK), LARGEST_BLOCK)
    axis = longest_stride(views[-1])
    length = views[-1].shape[axis]
    step = max(1, block * length // size)
    starts = range(0, length, step)

    def compute(i: int) -> None:
        part = (slice(None),) * axis + (slice(starts[i], starts[i] + step),)
        blocks = [v[part] if getattr(v, "ndim", 0) else v for v in views]
        ufunc(*blocks[: ufunc.nin], out=tuple(blocks[ufunc.nin :]))

    share(compute, len(starts), min(threads, len(starts)) - 1)


def blockable(operands: tuple, shape: tuple[int, ...]) -> list[Any]:
    """Return the operands as views of one shape, flat where all are contiguous alike."""
    full = [np.broadcast_to(o, shape) if getattr(o, "ndim", 0) and o.shape != shape else o for o in operands]
    arrays = [o for o in full if getattr(o, "ndim", 0)]
    if all(a.flags.c_contiguous for a in arrays) or all(a.flags.f_contiguous for a in arrays):
        return [o.ravel(order="K") if getattr(o, "ndim", 0) else o for o in full]
    return full


def longest_stride(array: np.ndarray) -> int:
    return max(range(array.ndim), key=lambda axis: (array.shape[axis] > 1, abs(array.strides[axis])))
