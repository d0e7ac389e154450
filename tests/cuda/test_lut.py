"""The look-up kernel: its source on the host, and what it compiles to."""

import ctypes

import numpy as np
import pytest
from helpers.host_build import SHIM, compiled, placed
from helpers.toolchain import ARCHITECTURES, check, sass

from gpu_sigmoid.backends.cupy import lut, packed
from gpu_sigmoid.device_check import bits

# one thread a block: threads that run one after the other cannot fill a table together
RUN_LOOK_UP = """
uint4 shared[{vectors}];
extern "C" void run_look_up(
    int blocks, int results, const Element* x, Element* y, const uint4* of_y, Element* z, const uint4* of_z,
    long long size, long long head
) {{
    gridDim.x = blocks;
    blockDim.x = 1;
    for (blockIdx.y = 0; blockIdx.y < results; ++blockIdx.y)
        for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x) look_up(x, y, of_y, z, of_z, size, head);
}}
"""


@pytest.fixture(scope="module")
def look_up_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    run = RUN_LOOK_UP.format(vectors=lut.TABLE_BYTES // packed.VECTOR)
    return compiled(tmp_path_factory.mktemp("look_up"), SHIM + lut.source() + run)


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1 << 16])
@pytest.mark.parametrize("offset", [0, 1, 7])
@pytest.mark.parametrize("blocks", [14, 40])
def test_look_up_takes_any_size_and_alignment_and_in_place(
    blocks: int, offset: int, size: int, look_up_library: ctypes.CDLL
) -> None:
    rng = np.random.default_rng(5)
    tables = [placed(rng.permutation(1 << 16).astype(np.uint16), 0) for _ in range(2)]
    patterns = placed(np.arange(size, dtype=np.uint16)[::-1], offset)
    fresh = [placed(np.full(size, 7, np.uint16), offset) for _ in range(2)]
    head = min(size, -patterns.ctypes.data % packed.VECTOR // 2)
    for results in (fresh, [patterns]):
        wants = [t[patterns] for t in tables[: len(results)]]
        pairs = list(zip(results, tables, strict=False))
        arrays = (patterns, *pairs[0], *pairs[-1])
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in arrays]
        look_up_library.run_look_up(
            blocks, len(results), *pointers, ctypes.c_longlong(size), ctypes.c_longlong(head)
        )
        for result, want in zip(results, wants, strict=True):
            np.testing.assert_array_equal(result, want)


@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_look_up_compiles_to_what_was_meant(architecture: int) -> None:
    found = sass(lut.source(), architecture)
    check(found, "float16")
    lanes = packed.VECTOR // 2
    stores = sum(i.startswith("STG.E.128") for i in found)
    assert stores >= lut.UNROLLED
    # every vector's, and one for what is no whole vector
    assert sum(i.startswith("LDS.U16") for i in found) == lanes * stores + 1


def test_the_device_check_reaches_it() -> None:
    assert bits.REPEATS_OF_16_BITS << 16 >= lut.SERVED_FROM
