"""Large arrays in blocks, over several threads.

NumPy releases the GIL in a ufunc's loop. The calling thread takes blocks too, and the
others join when they wake: a call waits at most for one block, and never for a thread to
wake. One call at a time has the others' help; those that come meanwhile (from Dask, from
the caller's own pool) run on their own thread, which keeps the cores busy already.
"""

import threading
from itertools import count
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu.workers import share
from gpu_sigmoid.environment import get_num_threads

# Bytes of a result. Another thread may take 100 us to wake, and a CPU longer if it has slept
# too: below, it came too late to help (float32 sigmoid: 0.7 milliseconds on one thread).
SPLIT_FROM = 8_000_000
# Elements.
SMALLEST_BLOCK = 1 << 16
LARGEST_BLOCK = 1 << 20

_help = threading.Lock()


def run_split(ufunc: np.ufunc, dtype: np.dtype, operands: tuple, outs: tuple) -> Any:
    """Call `ufunc`, whose results have `dtype`, in blocks if that may be faster."""
    arrays = [o for o in operands if getattr(o, "ndim", 0)]
    size = dtype.itemsize * max((a.size for a in arrays), default=0)
    plain = all(type(a) is np.ndarray for a in (*arrays, *(o for o in outs if o is not None)))
    if size >= SPLIT_FROM and plain and get_num_threads() > 1:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
        results = tuple(fresh(arrays, shape, dtype) if o is None else o for o in outs)
        if all(r.shape == shape for r in results) and separable(arrays, results) and _help.acquire(False):
            try:
                in_blocks(ufunc, operands, results)
            finally:
                _help.release()
            return results if ufunc.nout > 1 else results[0]
    return ufunc(*operands, out=outs) if any(o is not None for o in outs) else ufunc(*operands)


def fresh(arrays: list[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return an array for a result, in the order of the inputs' memory."""
    like = next((a for a in arrays if a.shape == shape and 0 not in a.strides), None)
    return np.empty(shape, dtype) if like is None else np.empty_like(like, dtype)


def separable(arrays: list[np.ndarray], results: tuple[np.ndarray, ...]) -> bool:
    """Return whether blocks are independent: a result overlaps nothing but its own input, exactly."""
    for i, result in enumerate(results):
        for array in arrays:
            same = address(array) == address(result) and array.strides == result.strides
            same = same and array.shape == result.shape and array.dtype == result.dtype
            if not same and np.may_share_memory(array, result):
                return False
        if any(np.may_share_memory(result, other) for other in results[:i]):
            return False
    return True


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def in_blocks(ufunc: np.ufunc, operands: tuple, results: tuple[np.ndarray, ...]) -> None:
    """Compute block by block, on as many threads as are allowed."""
    views = blockable((*operands, *results), results[0].shape)
    size = views[-1].size
    block = min(max(size // (4 * get_num_threads()), SMALLEST_BLOCK), LARGEST_BLOCK)
    axis = longest_stride(views[-1])
    length = views[-1].shape[axis]
    step = max(1, block * length // size)
    starts = range(0, length, step)
    number = count()
    interrupted = False

    def work() -> None:
        # threads draw their blocks from one count; how errors are handled is not inherited by them
        with np.errstate(invalid="ignore"):
            while not interrupted and (i := next(number)) < len(starts):
                part = (slice(None),) * axis + (slice(starts[i], starts[i] + step),)
                blocks = [v[part] if getattr(v, "ndim", 0) else v for v in views]
                ufunc(*blocks[: ufunc.nin], out=tuple(blocks[ufunc.nin :]))

    def stop() -> None:
        nonlocal interrupted
        interrupted = True

    share(work, stop, min(get_num_threads(), len(starts)) - 1)


def blockable(operands: tuple, shape: tuple[int, ...]) -> list[Any]:
    """Return the operands as views of one shape, flat where all are contiguous alike."""
    full = [np.broadcast_to(o, shape) if getattr(o, "ndim", 0) and o.shape != shape else o for o in operands]
    arrays = [o for o in full if getattr(o, "ndim", 0)]
    if all(a.flags.c_contiguous for a in arrays) or all(a.flags.f_contiguous for a in arrays):
        return [o.ravel(order="K") if getattr(o, "ndim", 0) else o for o in full]
    return full


def longest_stride(array: np.ndarray) -> int:
    return max(range(array.ndim), key=lambda axis: (array.shape[axis] > 1, abs(array.strides[axis])))
