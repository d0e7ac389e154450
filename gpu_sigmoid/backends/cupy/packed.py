"""Contiguous arrays: 16 bytes per load and store, two loads and more in flight in every thread.

With one element per thread and load, as ElementwiseKernel has it, too few bytes are
under way to fill the memory's bandwidth, the fewer the smaller the dtype.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpu_sigmoid.backends.cupy.elementwise import operation
from gpu_sigmoid.backends.cupy.storage import CONVERSIONS, STORAGES
from gpu_sigmoid.lowering import Program, cuda_source, lower_for
from gpu_sigmoid.modes import Mode

VECTOR = 16
THREADS = 256
# More blocks than any GPU runs at a time; what is left over, the loop takes.
MOST_BLOCKS = 1 << 20
ENTRY = "packed"
OPTIONS = ("-std=c++17",)

# Operands may be results: a thread has read all it needs of a vector before it writes it.
TEMPLATE = """
typedef {c_type} Element;
constexpr int LANES = {vector} / sizeof(Element);
union Vector {{ uint4 whole; Element lane[LANES]; }};

extern "C" __global__ void __launch_bounds__({threads}) {entry}({pointers}, long long size, int peeled) {{
    {prologue}
    const auto compute = [&]({element_parameters}) {{
        {operation}
    }};
    const long long thread = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
    const long long stride = gridDim.x * static_cast<long long>(blockDim.x);
    const long long vectors = (size - peeled) / LANES;
    for (long long first = thread; first < vectors; first += {unroll} * stride) {{
        Vector {vector_arrays};
        #pragma unroll
        for (int k = 0; k < {unroll}; ++k) {{
            const long long at = first + k * stride;
            if (at < vectors) {{
                {loads}
            }}
        }}
        #pragma unroll
        for (int k = 0; k < {unroll}; ++k) {{
            const long long at = first + k * stride;
            if (at < vectors) {{
                #pragma unroll
                for (int i = 0; i < LANES; ++i) compute({lane_arguments});
                {stores}
            }}
        }}
    }}
    // what lies before the first and after the last whole vector
    const long long rest = size - vectors * LANES;
    if (thread < rest) {{
        const long long at = thread < peeled ? thread : thread + vectors * LANES;
        compute({scalar_arguments});
    }}
}}
"""


def serves(operands: tuple, results: tuple) -> bool:
    """Return whether all are contiguous alike, of one shape, and equally far from 16-byte boundaries."""
    arrays = (*operands, *results)
    first = arrays[0]
    if not all(isinstance(a, cupy.ndarray) and a.shape == first.shape for a in arrays):
        return False
    alike = all(a.flags.c_contiguous for a in arrays) or all(a.flags.f_contiguous for a in arrays)
    return alike and len({a.data.ptr % VECTOR for a in arrays}) == 1


def launch(formula: Callable, mode: Mode, dtype: str, operands: tuple, results: tuple) -> None:
    """Compute `results` on the current device and stream."""
    size, peeled, vectors = span(results[0])
    compiled, vectors_a_thread = kernel(formula, mode, dtype)
    blocks = min(max(1, -(-vectors // (THREADS * vectors_a_thread))), MOST_BLOCKS)
    compiled((blocks,), (THREADS,), (*operands, *results, np.int64(size), np.int32(peeled)))


def span(array: Any) -> tuple[int, int, int]:
    """Return how many elements an array has, how many before its first whole vector, and how many vectors."""
    peeled = min(array.size, -array.data.ptr % VECTOR // array.dtype.itemsize)
    return array.size, peeled, (array.size - peeled) * array.dtype.itemsize // VECTOR


@cache
def kernel(formula: Callable, mode: Mode, dtype: str) -> tuple[Any, int]:
    program = lower_for(formula, mode, dtype)
    vectors = unroll(program)
    return cupy.RawKernel(source(program, dtype, vectors), ENTRY, options=OPTIONS), vectors


def unroll(program: Program) -> int:
    """Return how many vectors of each operand a thread loads before it computes.

    Two of one operand. Several operands are loads enough, and more of them do not fit
    into the registers.
    """
    return 2 if len(program.inputs) == 1 else 1


def source(program: Program, dtype: str, vectors: int) -> str:
    """Return the whole source of the kernel, which has so many vectors of each operand under way."""
    ins = [f"in{i}" for i in range(len(program.inputs))]
    outs = [f"out{i}" for i in range(len(program.outputs))]
    statements = operation(program, dtype, ins, outs)
    loop = loop_source(ENTRY, STORAGES[dtype].c_type, ins, outs, statements, vectors, THREADS)
    return cuda_source(program) + CONVERSIONS + loop


def loop_source(
    entry: str,
    c_type: str,
    ins: list[str],
    outs: list[str],
    operation: str,
    unroll: int,
    threads: int,
    prologue: str = "",
    further: tuple[str, ...] = (),
) -> str:
    """Return the kernel that does `operation` on every element of contiguous arrays.

    `prologue` comes before; it may read the `further` parameters, which follow the arrays.
    """
    names = [*ins, *outs]
    arrays = [f"const Element* {n}" for n in ins] + [f"Element* {n}" for n in outs]
    return TEMPLATE.format(
        entry=entry,
        c_type=c_type,
        vector=VECTOR,
        threads=threads,
        unroll=unroll,
        prologue=prologue,
        operation=operation,
        pointers=", ".join([*arrays, *further]),
        element_parameters=", ".join([f"Element {n}" for n in ins] + [f"Element& {n}" for n in outs]),
        vector_arrays=", ".join(f"v_{n}[{unroll}]" for n in names),
        loads=" ".join(f"v_{n}[k].whole = reinterpret_cast<const uint4*>({n} + peeled)[at];" for n in ins),
        lane_arguments=", ".join(f"v_{n}[k].lane[i]" for n in names),
        stores=" ".join(f"reinterpret_cast<uint4*>({n} + peeled)[at] = v_{n}[k].whole;" for n in outs),
        scalar_arguments=", ".join(f"{n}[at]" for n in names),
    )
