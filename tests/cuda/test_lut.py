"""Large 16-bit arrays: the look-up kernel's source on the host, when it serves, what it compiles to."""

import ctypes
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs

pytest.importorskip("cupy", reason="CuPy is not installed")

from helpers.cupy_stand_in import Launches, on_gpu
from helpers.host_build import SHIM, compiled, placed
from helpers.toolchain import ARCHITECTURES, check, sass

from gpu_sigmoid.backends.cupy import lut, packed
from gpu_sigmoid.device_check import bits

# one thread a block: threads that run one after the other cannot fill a table together
RUN_LOOK_UP = """
uint4 shared[{vectors}];
extern "C" void run_look_up(
    int blocks, int results, const Element* x, Element* y, const uint4* of_y, Element* z, const uint4* of_z,
    long long size, int head
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
            blocks, len(results), *pointers, ctypes.c_longlong(size), ctypes.c_int(head)
        )
        for result, want in zip(results, wants, strict=True):
            np.testing.assert_array_equal(result, want)


def test_large_16_bit_arrays_are_looked_up(launches: Launches, monkeypatch: pytest.MonkeyPatch) -> None:
    def kind(call: Any, *operands: Any) -> str:
        launches.clear()
        call(*operands)
        return launches[-1][0]

    large = on_gpu(np.zeros(lut.SERVED_FROM, np.float16))
    assert kind(gs.sigmoid, large) == "lut"
    assert kind(gs.silu.value_and_grad, large) == "lut"
    assert kind(gs.sigmoid, large[:-1]) == "packed"
    assert kind(gs.sigmoid, large.reshape(2, -1)[:, 1:]) == "elementwise"
    assert kind(gs.sigmoid.vjp, large, large) == "packed"
    assert kind(gs.bce_with_logits, large, large) == "packed"
    assert kind(gs.sigmoid, large.astype(np.float32)) == "packed"

    monkeypatch.setattr(lut, "room", lambda device: 99 << 10)
    assert kind(gs.sigmoid, large) == "packed"


def test_no_table_is_made_in_a_capture(launches: Launches, monkeypatch: pytest.MonkeyPatch) -> None:
    large = on_gpu(np.zeros(lut.SERVED_FROM, np.float16))
    stream = SimpleNamespace(is_capturing=lambda: True)
    monkeypatch.setattr(lut.cupy.cuda, "get_current_stream", lambda: stream)
    gs.sigmoid.value_and_grad(large)
    monkeypatch.setitem(lut._tables, (gs.sigmoid.formula, ((),), "float16", 0), None)
    gs.sigmoid.value_and_grad(large)
    gs.sigmoid(large)
    assert [launch[0] for launch in launches] == ["packed", "packed", "lut"]


@pytest.mark.parametrize(
    ("over", "launched"),
    [
        (None, [((66, 2), ["value", "grad"])]),
        (0, [((132, 1), ["grad", "grad"]), ((132, 1), ["value", "value"])]),
        (1, [((132, 1), ["value", "value"]), ((132, 1), ["grad", "grad"])]),
    ],
)
def test_two_results_side_by_side_but_what_takes_the_operands_place_last(
    over: int | None, launched: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Launch with a kernel that records, and tables that are named."""
    calls: list[tuple] = []
    kernel = lambda grid, block, arguments, shared_mem: calls.append((grid, arguments, shared_mem))  # noqa: E731
    monkeypatch.setattr(lut, "kernel", lambda: kernel)
    monkeypatch.setattr(lut, "table", lambda formula, mode, dtype: mode.name)
    monkeypatch.setattr(lut, "processors", lambda device: 132)
    cuda = SimpleNamespace(Device=lambda: SimpleNamespace(id=0))
    monkeypatch.setattr(lut, "cupy", SimpleNamespace(cuda=cuda))
    x = on_gpu(np.zeros(132 * lut.THREADS * lut.UNROLLED * 8, np.float16))
    results = [on_gpu(np.zeros_like(x)), on_gpu(np.zeros_like(x))]
    if over is not None:
        results[over] = x
    lut.launch(gs.sigmoid.formula, gs.sigmoid.value_and_grad.mode, "float16", (x,), tuple(results))
    assert [(grid, [arguments[2], arguments[4]]) for grid, arguments, _ in calls] == launched
    places = {"value": results[0].data.ptr, "grad": results[1].data.ptr}
    for _, arguments, shared in calls:
        assert [arguments[1].data.ptr, arguments[3].data.ptr] == [places[arguments[2]], places[arguments[4]]]
        assert shared == lut.TABLE_BYTES


@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_look_up_compiles_to_what_was_meant(architecture: int) -> None:
    found = sass(lut.source(), architecture)
    check(found, "float16")
    lanes = packed.VECTOR // 2
    # every vector's, and one for what is no whole vector
    assert sum(i.startswith("LDS.U16") for i in found) == lanes * lut.UNROLLED + 1
    assert sum(i.startswith("STG.E.128") for i in found) == lut.UNROLLED


def test_the_device_check_reaches_it() -> None:
    assert bits.REPEATS_OF_16_BITS << 16 >= lut.SERVED_FROM
