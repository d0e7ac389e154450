"""The very source that CuPy is given, compiled for the host, gives the CPU's bits."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.calls import same_bits
from helpers.floats import DTYPES, all_patterns, random_patterns
from helpers.host_build import SHIM, compiled, placed
from helpers.methods import as_tuple, operands

import gpu_sigmoid as gs
from gpu_sigmoid.lowering import lower_for

pytest.importorskip("cupy", reason="CuPy is not installed: its kernels' source needs it")

from gpu_sigmoid.backends.cupy import elementwise, packed
from gpu_sigmoid.backends.cupy.storage import STORAGES
from gpu_sigmoid.device_check import bits

# coprime to 2; all patterns take an hour: set it to have them all
STRIDE = 1 if os.environ.get("GPU_SIGMOID_ALL_FLOATS") else 4_001

RUN = """
extern "C" void run_packed(int blocks, int threads, {pointers}, long long size, long long head) {{
    gridDim.x = blocks;
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
        for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x) packed({arguments}, size, head);
}}
extern "C" void run_elementwise({pointers}, long long size) {{
    for (long long k = 0; k < size; ++k) {{
        {references}
        {operation}
    }}
}}
"""


def build(directory: Path, method: Any, dtype: str) -> ctypes.CDLL:
    """Compile both kernels of a method."""
    program = lower_for(method.formula, method.mode, dtype)
    ins, outs, operation, preamble = elementwise.source(program, dtype)
    source = packed.source(program, dtype, packed.unroll(len(program.inputs), len(program.outputs), dtype))
    assert preamble in source
    names = [p.split()[1] for p in (*ins.split(", "), *outs.split(", "))]
    c_type = STORAGES[dtype].c_type
    pointers = ", ".join(f"{c_type}* {n}_p" for n in names)
    run = RUN.format(
        pointers=pointers,
        arguments=", ".join(f"{n}_p" for n in names),
        references=" ".join(f"{c_type}& {n} = {n}_p[k];" for n in names),
        operation=operation,
    )
    return compiled(directory, SHIM + source + run)


def inputs(dtype: str) -> Iterator[np.ndarray]:
    """Yield blocks."""
    if dtype == "float64":
        yield np.concatenate([random_patterns(100_000, 3), np.linspace(-40, 40, 20_001)])
    elif dtype == "float32":
        yield from bits.patterns(DTYPES[dtype], STRIDE)
    else:
        yield all_patterns(dtype)


def run(
    library: ctypes.CDLL, kind: str, arrays: list[np.ndarray], results: list[np.ndarray], *grid: int
) -> None:
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (*arrays, *results)]
    size = ctypes.c_longlong(results[0].size)
    if kind == "elementwise":
        library.run_elementwise(*pointers, size)
        return
    head = min(results[0].size, -results[0].ctypes.data % packed.VECTOR // results[0].itemsize)
    library.run_packed(*grid, *pointers, size, ctypes.c_longlong(head))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["value_and_grad", "grad2", "vjp"])
def test_same_bits_as_the_cpu(function: Any, name: str, dtype: str, tmp_path: Path) -> None:
    library = build(tmp_path, function.methods[name], dtype)
    for x in inputs(dtype):
        arrays = [placed(a, 0) for a in operands(function, name, x)]
        with np.errstate(all="ignore"):
            want = as_tuple(function.methods[name](*arrays))
        for kind in ("elementwise", "packed"):
            results = [placed(np.zeros_like(arrays[0]), 0) for _ in want]
            run(library, kind, arrays, results, 3, 64)
            assert same_bits(tuple(results), want), kind


libraries: dict[str, ctypes.CDLL] = {}


@pytest.mark.parametrize("size", [0, 1, 3, 15, 16, 17, 33, 1000, 4099])
@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_packed_takes_any_size_and_alignment_and_in_place(
    dtype: str, offset: int, size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if dtype not in libraries:
        libraries[dtype] = build(tmp_path_factory.mktemp("packed"), gs.sigmoid.value_and_grad, dtype)
    library = libraries[dtype]
    x = placed(np.linspace(-9, 9, size).astype(dtype), offset)
    want = gs.sigmoid.value_and_grad(x)
    # as many threads as `launch` would take, and far fewer: the loop takes what is left
    for blocks, threads in ((max(1, size // 64), 32), (1, 8)):
        first, second = placed(x, offset), placed(np.full_like(x, 7), offset)
        run(library, "packed", [first], [first, second], blocks, threads * (1 + 16 // threads))
        assert same_bits((first, second), want)
