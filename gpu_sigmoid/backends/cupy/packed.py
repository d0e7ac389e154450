"""Contiguous arrays, or contiguous rows: 16 bytes per load and store, several loads in flight per thread.

ElementwiseKernel's one element per thread and load keeps too few bytes in flight to use the memory's
bandwidth, the more so for small dtypes.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import cupy

from gpu_sigmoid.backends.cupy import elementwise
from gpu_sigmoid.backends.cupy.elementwise import operation
from gpu_sigmoid.backends.cupy.storage import CONVERSIONS, STORAGES
from gpu_sigmoid.dtypes import numpy_dtype
from gpu_sigmoid.lowering import Program, cuda_source, lower_for
from gpu_sigmoid.modes import Mode

VECTOR = 16
# By measurement on an H200: for float64, 256 are 4 to 9 % slower, in float32 1 to 8 %.
THREADS = 128
ENTRY = "packed"
OPTIONS = ("-std=c++17",)

VECTORS, NUMBER, ELEMENT = "vectors", "number", "element"
"""How an operand is read: like the results, as a number from the host, or one element for a whole row."""

# Operands may be results: a thread reads all it needs of a vector before it writes that.
TEMPLATE = """
typedef {c_type} Element;
constexpr int LANES = {vector} / sizeof(Element);
union Vector {{ uint4 whole; Element lane[LANES]; }};

extern "C" __global__ void __launch_bounds__({threads})
{entry}({pointers}, long long size, long long peeled{row_parameters}) {{
    const long long index = blockIdx.x * static_cast<long long>(blockDim.x) + threadIdx.x;
    {place}
    {prologue}
    const auto compute = [&]({element_parameters}) {{
        {operation}
    }};
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

ONE_RUN = """
    const long long thread = index, stride = gridDim.x * static_cast<long long>(blockDim.x);
"""
# So many threads to a row that each has work for one turn of the loop. Which row an index is in, a product
# with (2^64 - 1) / across says, without a division: exactly, while (index + 1) * across <= 2^64.
ROWS = """
    const long long row = __umul64hi(index + 1, reciprocal);
    if (row >= rows) return;
    const long long thread = index - row * across, stride = across;
    {advances}
"""
ROW_PARAMETERS = ("long long rows", "long long across", "unsigned long long reciprocal")


def launch(
    formula: Callable, mode: Mode, dtype: str, operands: tuple, results: tuple, kinds: tuple[str, ...]
) -> None:
    """Compute `results` on the current device and stream."""
    compiled, elements_a_thread = kernel(formula, mode, dtype, kinds)
    size, before = results[0].size, peeled(results[0])
    arrays = in_order(operands, results, kinds)
    start(compiled.kernel.linear_launch, elements_a_thread, arrays, size, before)


def in_order(operands: tuple, results: tuple, kinds: tuple[str, ...]) -> tuple:
    """Return operands and results as kernel arguments."""
    pairs = list(zip(operands, kinds, strict=True))
    others = [elementwise.bits(o) for o, kind in pairs if kind != VECTORS]
    return (*(o for o, kind in pairs if kind == VECTORS), *results, *others)


def start(
    linear_launch: Any, elements_a_thread: int, arrays: tuple, size: int, peeled: int, stream: Any = None
) -> None:
    """Launch a kernel on arrays, or addresses, with `peeled` elements before the first whole vector."""
    threads = -(-size // elements_a_thread)
    if threads < THREADS:
        # one whole block for the elements before the first and after the last whole vector
        threads = THREADS
    arguments = (*arrays, size, peeled)
    linear_launch(threads, arguments, 0, THREADS, stream)


def peeled(array: Any) -> int:
    """Return the number of elements before an array's first whole vector."""
    return before_a_vector(array.size, array.data.ptr % VECTOR, array.dtype.itemsize)


def before_a_vector(size: int, distance: int, itemsize: int) -> int:
    """Return how many elements precede a boundary, the first being `distance` bytes after one."""
    return min(size, -distance % VECTOR // itemsize)


@cache
def kernel(
    formula: Callable, mode: Mode, dtype: str, kinds: tuple[str, ...], pitched: bool = False
) -> tuple[Any, int]:
    """Return the compiled kernel, and the number of elements that each thread takes at a time."""
    vectors = unroll(kinds.count(VECTORS), len(mode.partials), dtype)
    text = source(lower_for(formula, mode, dtype), dtype, vectors, kinds, pitched)
    return cupy.RawKernel(text, ENTRY, options=OPTIONS), vectors * VECTOR // numpy_dtype(dtype).itemsize


def unroll(operands: int, results: int, dtype: str) -> int:
    """Return how many vectors of each operand a thread loads before it computes.

    On an H200 four are up to 9 % faster than two for large arrays of one result in float32 and
    float64, and 1 % slower for two results. In 16 bits, with more elements to a vector, there are
    registers for fewer.
    """
    if numpy_dtype(dtype).itemsize == 2:
        return 1 if operands > 1 else 2
    return 4 if results == 1 else 2


def source(
    program: Program, dtype: str, vectors: int, kinds: tuple[str, ...] | None = None, pitched: bool = False
) -> str:
    """Return the whole source of the kernel, which has so many vectors of each operand under way.

    A pitched one goes over rows, and takes of every array how many elements its rows are apart.
    """
    kinds = kinds or (VECTORS,) * len(program.inputs)
    ins = [f"in{i}" for i in range(len(program.inputs))]
    outs = [f"out{i}" for i in range(len(program.outputs))]
    named = list(zip(ins, kinds, strict=True))
    elements = [name for name, kind in named if kind == ELEMENT]
    parameters = {NUMBER: "Element {0}", ELEMENT: "const Element* the_{0}"}
    loop = loop_source(
        ENTRY,
        STORAGES[dtype].c_type,
        [name for name, kind in named if kind == VECTORS],
        outs,
        operation(program, dtype, ins, outs),
        vectors,
        THREADS,
        "\n".join(f"const Element {name} = *the_{name};" for name in elements),
        tuple(parameters[kind].format(name) for name, kind in named if kind != VECTORS),
        tuple(f"the_{name}" for name in elements) if pitched else None,
    )
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
    also_pitched: tuple[str, ...] | None = None,
) -> str:
    """Return the kernel that does `operation` on every element of arrays that lie alike.

    `prologue` comes before; it may read the `further` parameters, which follow the arrays. Where
    `also_pitched` is given, arrays are rows, and so are those that it names of the `further` ones.
    """
    names = [*ins, *outs]
    arrays = [f"const Element* {n}" for n in ins] + [f"Element* {n}" for n in outs]
    place, row_parameters = ONE_RUN, []
    if also_pitched is not None:
        pitched = [*names, *also_pitched]
        place = ROWS.format(advances=" ".join(f"{n} += row * {n}_pitch;" for n in pitched))
        row_parameters = [*ROW_PARAMETERS, *(f"long long {n}_pitch" for n in pitched)]
    return TEMPLATE.format(
        entry=entry,
        c_type=c_type,
        vector=VECTOR,
        threads=threads,
        unroll=unroll,
        place=place,
        prologue=prologue,
        operation=operation,
        pointers=", ".join([*arrays, *further]),
        row_parameters="".join(f", {parameter}" for parameter in row_parameters),
        element_parameters=", ".join([f"Element {n}" for n in ins] + [f"Element& {n}" for n in outs]),
        vector_arrays=", ".join(f"v_{n}[{unroll}]" for n in names),
        loads=" ".join(f"v_{n}[k].whole = reinterpret_cast<const uint4*>({n} + peeled)[at];" for n in ins),
        lane_arguments=", ".join(f"v_{n}[k].lane[i]" for n in names),
        stores=" ".join(f"reinterpret_cast<uint4*>({n} + peeled)[at] = v_{n}[k].whole;" for n in outs),
        scalar_arguments=", ".join(f"{n}[at]" for n in names),
    )
