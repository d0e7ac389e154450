"""Large contiguous 16-bit arrays: all 65,536 results in a block's shared memory, one load per element.

The formulas take 60 or more instructions per element, while memory that reads and writes 2 bytes per
element leaves time for about 30. The table contains the formula's own results, so the bits are the same.
It is made at a function's first use on a device and stays there: 128 KiB, the only allocation apart from
results.

A block cannot hold two tables. For two results, half of the blocks compute one and half the other, side
by side, so that the operand is in the cache when it is read a second time. If a result takes the operand's
place, they run one after the other.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpu_sigmoid.backends.cupy import packed
from gpu_sigmoid.modes import Mode, Partial, is_tabulable

PATTERNS = 1 << 16
TABLE_BYTES = 2 * PATTERNS
# The most threads that a block can have: the table leaves room for one block on a processor.
THREADS = 1024
# By measurement on an H200: 4 are 3 % slower for large arrays, and up to 20 % for the smallest.
UNROLLED = 2
# Elements. For fewer, the formulas finish before every processor has read the table: on an H200
# they are 5 to 17 % faster at 2^20, and 10 to 30 % slower at 2^21.
SERVED_FROM = 3 << 19
ENTRY = "look_up"

PROLOGUE = """
    if (blockIdx.y) {{
        out0 = second_out;
        table = second_table;
    }}
    extern __shared__ uint4 shared[];
    for (int i = threadIdx.x; i < {patterns} / LANES; i += blockDim.x) shared[i] = table[i];
    __syncthreads();
    const Element* const results = reinterpret_cast<const Element*>(shared);
"""

_tables: dict[tuple[Callable, tuple[Partial, ...], str, int], Any] = {}


def serves(formula: Callable, mode: Mode, dtype: str, operands: tuple) -> bool:
    """Return whether a table exists, or can be made, for operands that `packed` accepts."""
    if not is_tabulable(formula, mode, dtype) or operands[0].size < SERVED_FROM:
        return False
    device = cupy.cuda.Device().id
    if room(device) < TABLE_BYTES:
        return False
    # during a capture no table can be computed
    made = all((formula, result.partials, dtype, device) in _tables for result in mode.single_results)
    return made or not cupy.cuda.get_current_stream().is_capturing()


def launch(formula: Callable, mode: Mode, dtype: str, operands: tuple, results: tuple) -> None:
    """Compute `results` on the current device and stream."""
    (x,) = operands
    tables = [table(formula, result, dtype) for result in mode.single_results]
    pairs = list(zip(results, tables, strict=True))
    # the result that takes the operand's place comes last
    pairs.sort(key=lambda pair: pair[0].data.ptr == x.data.ptr)
    in_place = pairs[-1][0].data.ptr == x.data.ptr
    launches = [[pair] for pair in pairs] if in_place else [pairs]
    # one block per processor before any thread takes a second vector
    needed = -(-x.nbytes // (THREADS * packed.VECTOR))
    available = processors(cupy.cuda.Device().id)
    for together in launches:
        blocks = min(needed, max(1, available // len(together)))
        arguments = (x, *together[0], *together[-1], x.size, packed.peeled(x))
        kernel()((blocks, len(together)), (THREADS,), arguments, shared_mem=TABLE_BYTES)


def table(formula: Callable, mode: Mode, dtype: str) -> Any:
    """Return the results for all bit patterns on the current device."""
    key = (formula, mode.partials, dtype, cupy.cuda.Device().id)
    if key not in _tables:
        results = cupy.empty(PATTERNS, np.uint16)
        patterns = cupy.arange(PATTERNS, dtype=np.uint16)
        packed.launch(formula, mode, dtype, (patterns,), (results,), (packed.VECTORS,))
        # only once, since later uses may be on other streams
        cupy.cuda.get_current_stream().synchronize()
        kernel().max_dynamic_shared_size_bytes = TABLE_BYTES
        _tables[key] = results
    return _tables[key]


@cache
def room(device: int) -> int:
    """Return the most bytes of shared memory that a block can have."""
    return cupy.cuda.Device(device).attributes["MaxSharedMemoryPerBlockOptin"]


@cache
def processors(device: int) -> int:
    return cupy.cuda.Device(device).attributes["MultiProcessorCount"]


@cache
def kernel() -> Any:
    return cupy.RawKernel(source(), ENTRY, options=packed.OPTIONS)


def source(vectors: int = UNROLLED) -> str:
    """Return the whole source of the kernel, which is the same for all functions."""
    return packed.loop_source(
        entry=ENTRY,
        c_type="unsigned short",
        ins=["in0"],
        outs=["out0"],
        operation="out0 = results[in0];",
        unroll=vectors,
        threads=THREADS,
        prologue=PROLOGUE.format(patterns=PATTERNS),
        further=("const uint4* table", "Element* second_out", "const uint4* second_table"),
    )
