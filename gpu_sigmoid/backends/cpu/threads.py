"""Calls on arrays of any layout, large ones in blocks, over several threads.

Computation runs without the GIL. The calling thread computes blocks too, and the others join when they
wake: a call waits at most for one block, and never for a thread to wake. Only one call at a time is helped;
concurrent calls (from Dask, from the caller's own pool) run on their own threads, which keep the CPUs busy
anyway. The threads of `spinning` help with calls of a few milliseconds. Longer ones are shared with
`workers`, in blocks between which Python can handle signals.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gpu_sigmoid.backends.cpu import spinning
from gpu_sigmoid.backends.cpu.addresses import WORK
from gpu_sigmoid.backends.cpu.bits import bits_of
from gpu_sigmoid.backends.cpu.jobs import Plan, exported_address, job_on
from gpu_sigmoid.backends.cpu.workers import share
from gpu_sigmoid.backends.placed import Placed, apart, repeats
from gpu_sigmoid.environment import get_num_threads
from gpu_sigmoid.processors import usable

SPLIT_FROM = 8_000_000
"""Bytes of a result from which on blocks go to threads that sleep: `workers`, and in JAX's programs XLA's.
They may take 100 us to wake, and longer if their CPUs were asleep. By then the caller has computed all of a
smaller result."""

INTERRUPTED_FROM = 32_000_000
"""Bytes of a result from which on signals are handled between blocks, so that Ctrl-C need not wait for the
whole call."""

SMALLEST_BLOCK, LARGEST_BLOCK = 1 << 16, 1 << 20
"""Elements of a block of `workers`."""

PER_CPU = 4
"""Threads for each CPU, at most, whatever number is set."""

SMALL_BYTES = 1 << 15
"""Bytes of an array up to which NumPy's own checks take less time than finding out that none are needed."""

PLAIN = (np.ndarray, np.memmap)
"""The classes whose results are plain arrays; other subclasses decide on theirs themselves."""


def compute(ufunc: Any, dtype: np.dtype, operands: tuple, outs: tuple) -> Any:
    """Call `ufunc`, with results of `dtype`; NumPy is left to cast, copy, and handle subclasses."""
    size = max((o.size for o in operands if getattr(o, "ndim", 0)), default=0)
    if size * dtype.itemsize > SMALL_BYTES and regular(operands, outs):
        inputs = tuple(np.asarray(o) if isinstance(o, np.ndarray) else o for o in operands)
        results = allocated(inputs, outs, dtype)
        if computed(ufunc, dtype, inputs, results):
            returned = tuple(r if o is None else o for r, o in zip(results, outs, strict=True))
            return returned if ufunc.nout > 1 else returned[0]
        outs = tuple(r if o is None else o for r, o in zip(results, outs, strict=True))
    return ufunc(*operands, out=outs) if any(o is not None for o in outs) else ufunc(*operands)


def regular(operands: tuple, outs: tuple) -> bool:
    """Return whether these are plain arrays and numbers, and the results have the operands' shape."""
    given = [o for o in outs if o is not None]
    if not all(type(o) in PLAIN or isinstance(o, np.generic | int | float) for o in (*operands, *given)):
        return False
    shapes = {np.shape(o) for o in operands} - {()}
    shape = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
    return all(o.shape == shape for o in given)


def allocated(inputs: tuple, outs: tuple, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    """Return the results' arrays: `outs`, and new ones in the memory order of a ufunc's results."""
    if all(o is not None for o in outs):
        return tuple(np.asarray(o) for o in outs)
    kinds = ["readonly"] * len(inputs) + ["writeonly" if o is not None else "allocate" for o in outs]
    flags: Any = [[kind, "writeonly"] if kind == "allocate" else [kind] for kind in kinds]
    dtypes = [dtype if kind == "allocate" else None for kind in kinds]
    return np.nditer((*inputs, *outs), ["zerosize_ok"], flags, dtypes).operands[len(inputs) :]


def computed(ufunc: Any, dtype: np.dtype, inputs: tuple, results: tuple[np.ndarray, ...]) -> bool:
    """Compute if a kernel can do so on the arrays as they are, or in blocks; return whether it did."""
    arrays = [i for i in inputs if isinstance(i, np.ndarray)]
    if shared_file(arrays, results):
        return False
    # native dtypes are singletons
    if all(a.dtype is dtype for a in (*arrays, *results)):
        held = [i if isinstance(i, np.ndarray) else np.asarray(i, dtype) for i in inputs]
        plan, job = job_on(bits_of(ufunc), [*held, *results])
        if job is not None:
            run(plan, job, bits_of(ufunc))
            return True
    threads = get_num_threads() if results[0].nbytes >= SPLIT_FROM else 1
    if threads == 1 or not separable(arrays, results):
        return False
    in_blocks(ufunc, inputs, results, threads)
    return True


def run(plan: Plan, job: bytes, kernel: np.ufunc) -> None:
    """Compute a job of a kernel."""
    work = plan.size * WORK[kernel]
    threads = get_num_threads() if work >= spinning.HELPED_FROM else 1
    if threads == 1:
        plan.loops(job, 0, plan.length)
    elif plan.size * plan.itemsize >= INTERRUPTED_FROM:
        by_blocks(partial(plan.loops, job), plan.size, plan.length, threads)
    elif spinning.helps(work) and (threads := on_own_cpus(threads)) > 1:
        spinning.share(plan.address, job, plan.length, threads, work)
    else:
        plan.loops(job, 0, plan.length)


def threads_for(kernel: Any, size: int) -> int:
    """Return how many threads should compute so many elements."""
    work = size * WORK[bits_of(kernel)]
    if work < spinning.HELPED_FROM or not spinning.helps(work):
        return 1
    times = spinning.Times
    # read before the number, which another thread may set meanwhile
    setting = times.setting
    known, threads = times.threads
    if known is not setting:
        threads = on_own_cpus(get_num_threads())
        times.threads = setting, threads
    return threads


def on_own_cpus(threads: int) -> int:
    """Return how many threads may spin, one for each CPU: more would take CPUs from each other."""
    return min(threads, usable()) if threads > 1 else 1


def by_blocks(compute: Callable[[int, int], None], size: int, length: int, threads: int) -> None:
    """Call a function with the start and stop of each part of an axis."""
    threads = min(threads, PER_CPU * usable())
    block = min(max(size // (4 * threads), SMALLEST_BLOCK), LARGEST_BLOCK)
    step = max(1, block * length // size)
    starts = range(0, length, step)
    share(
        lambda i: compute(starts[i], min(starts[i] + step, length)),
        len(starts),
        min(threads, len(starts)) - 1,
    )


def shared_file(arrays: list[np.ndarray], results: tuple[np.ndarray, ...]) -> bool:
    """Return whether a result is part of a file that another array also maps."""
    written = [found for r in results if (found := memory_map(r)) is not None]
    if not written:
        return False
    mapped = [found for a in arrays if (found := memory_map(a)) is not None]
    return any(
        one._mmap is not other._mmap and os.path.realpath(one.filename) == os.path.realpath(other.filename)
        for i, one in enumerate(written)
        for other in (*mapped, *written[:i])
    )


def memory_map(array: Any) -> Any:
    """Return the memory map of a named file that an array is a view of, or None."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.filename is not None:
            return array
        array = array.base
    return None


def separable(arrays: list[np.ndarray], results: tuple[np.ndarray, ...]) -> bool:
    """Return whether blocks are independent: a result overlaps only an operand that is exactly it."""
    places, written = [placed(a) for a in arrays], [placed(r) for r in results]
    for i, result in enumerate(written):
        if repeats(result) or not all(apart(result, other) for other in written[:i]):
            return False
        if not all(place == result or apart(place, result) for place in places):
            return False
    return True


def placed(array: np.ndarray) -> Placed:
    return Placed(exported_address(array), array.shape, array.strides, array.dtype)


def in_blocks(ufunc: Any, operands: tuple, results: tuple[np.ndarray, ...], threads: int) -> None:
    """Call a ufunc block by block."""
    views = blockable((*operands, *results), results[0].shape)
    axis = longest_stride(views[-1])

    def compute(start: int, stop: int) -> None:
        part = (slice(None),) * axis + (slice(start, stop),)
        blocks = [v[part] if getattr(v, "ndim", 0) else v for v in views]
        ufunc(*blocks[: ufunc.nin], out=tuple(blocks[ufunc.nin :]))

    by_blocks(compute, views[-1].size, views[-1].shape[axis], threads)


def blockable(operands: tuple, shape: tuple[int, ...]) -> list[Any]:
    """Return the operands as views of one shape, flat if all are contiguous in the same way."""
    full = [np.broadcast_to(o, shape) if getattr(o, "ndim", 0) and o.shape != shape else o for o in operands]
    arrays = [o for o in full if getattr(o, "ndim", 0)]
    if all(a.flags.c_contiguous for a in arrays) or all(a.flags.f_contiguous for a in arrays):
        return [o.ravel(order="K") if getattr(o, "ndim", 0) else o for o in full]
    return full


def longest_stride(array: np.ndarray) -> int:
    return max(range(array.ndim), key=lambda axis: (array.shape[axis] > 1, abs(array.strides[axis])))
