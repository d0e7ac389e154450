"""Numba device arrays: grid-stride kernels that numba-cuda compiles, when first called.

`layout` says how to go over the operands, `kernels` writes and compiles the loop,
`intrinsics` are its loads, stores and arithmetic, `memory` is where arrays lie. A call
runs on the arrays' device, on the first stream that one of them is bound to or else the
default one, waits for nothing and allocates nothing but the result, and a copy of an
input that overlaps it.
"""

from typing import Any

import numpy as np

from gpu_sigmoid.backends.numba_cuda import kernels, memory
from gpu_sigmoid.backends.numba_cuda.layout import Layout, layout_of
from gpu_sigmoid.backends.placed import apart, shaped_like
from gpu_sigmoid.dtypes import result_name
from gpu_sigmoid.lowering import Program
from gpu_sigmoid.outputs import broadcast_shape, checked_out

__all__ = ["run"]


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on device arrays and numbers."""
    kernels.numba_cuda()
    name = result_name(method, operands)
    dtype = next((o.dtype for o in operands if getattr(o, "dtype", None) == name), np.dtype(name))
    program = kernels.program(method.formula, method.mode, name)
    outs = checked_out(method, dtype, operands, out, object, memory.placed)
    arrays = [o for o in operands if getattr(o, "ndim", 0) or memory.on_device(o)]
    given = [o for o in outs if o is not None]
    shape = broadcast_shape(operands)
    stream = next((a.stream for a in (*arrays, *given) if a.stream), 0)
    with memory.device_of(method, [*arrays, *given]):
        like = shaped_like(shape, arrays)
        results = [memory.empty(shape, dtype, like, stream) if o is None else o for o in outs]
        separate = [separated(o, given, dtype, stream) if memory.on_device(o) else o for o in operands]
        launch(program, separate, results, dtype, stream)
    return tuple(results) if len(results) > 1 else results[0]


def separated(operand: Any, outs: list, dtype: np.dtype, stream: Any) -> Any:
    """Return the operand, or a copy of it where an output overlaps it in part.

    A thread reads its elements before it writes: one that is exactly an output will do.
    """
    place = memory.placed(operand)
    if all(place == memory.placed(o) or apart(place, memory.placed(o)) for o in outs):
        return operand
    copy = memory.empty(operand.shape, dtype, operand, stream)
    launch(kernels.program(kernels.identity, kernels.COPY, dtype.name), [operand], [copy], dtype, stream)
    return copy


def launch(program: Program, operands: list, results: list, dtype: np.dtype, stream: Any) -> None:
    """Start the kernel that fills the results."""
    if results[0].size == 0:
        return
    places = [memory.placed(o) if memory.on_device(o) else None for o in operands]
    targets = [memory.placed(r) for r in results]
    layout: Layout = layout_of(results[0].shape, [p for p in (*places, *targets) if p is not None])
    kinds = tuple("number" if p is None else p.dtype.name for p in places)
    kernel = kernels.compiled(program, dtype.name, kinds, layout.dimensions)
    arguments = [
        memory.number(o, dtype) if p is None else p.address for o, p in zip(operands, places, strict=True)
    ]
    threads = kernels.THREADS
    blocks = min(-(-results[0].size // threads), kernels.MOST_BLOCKS)
    addresses = [t.address for t in targets]
    kernel[blocks, threads, stream](results[0].size, *layout.extents, *arguments, *addresses, *layout.steps)
