"""Rows at a pitch: the bits of the CPU, by the kernel for them, and nothing written between rows."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.calls import bits
from helpers.floats import DTYPES
from helpers.host_build import SHIM, compiled
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from gpu_sigmoid.lowering import lower_for

cupy = pytest.importorskip("cupy", reason="CuPy is not installed")

from gpu_sigmoid.backends.cupy import elementwise, packed, pitched

View = Callable[[Any], Any]

# of an array of 12 rows, 96 columns: as all arrays lie
VIEWS: dict[str, View] = {
    "whole vectors": lambda m: m[:, :32],
    "a tail": lambda m: m[:, :37],
    "a head": lambda m: m[:, 3:48],
    "within a vector": lambda m: m[:, 1:3],
    "one vector": lambda m: m[:, 8:16],
    "long rows, few of them": lambda m: m.reshape(2, -1)[:, :573],
    "every other row, from the last": lambda m: m[::-2, :40],
    "halves of the middle axis": lambda m: m.reshape(4, 6, 48)[:, 3:],
    "permuted": lambda m: m.reshape(4, 6, 48).transpose(2, 0, 1)[:32],
}


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads of each launch of a kernel for rows; no other kernel may be launched."""
    threads: list[int] = []
    start = pitched.Launch.start

    def started(launch: pitched.Launch, *arguments: Any) -> None:
        threads.append(launch.threads)
        start(launch, *arguments)

    def refuse(*_: Any) -> None:
        raise AssertionError("another kernel was launched")

    monkeypatch.setattr(pitched.Launch, "start", started)
    monkeypatch.setattr(elementwise, "launch", refuse)
    monkeypatch.setattr(packed, "start", refuse)
    return threads


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("method", [gs.swiglu.vjp, gs.sigmoid.value_and_grad, gs.glu], ids=str)
def test_rows(method: Any, view: View, dtype: str, rows: list[int]) -> None:
    rng = np.random.default_rng(0)
    hosts = [rng.normal(scale=3, size=(12, 96)).astype(DTYPES[dtype]) for _ in method.operands]
    wants = as_tuple(method(*map(view, hosts)))
    arrays = list(map(cupy.asarray, hosts))
    for in_place in (False, True):
        outs = [cupy.ones_like(arrays[0]) for _ in wants]
        if in_place:
            outs[0] = arrays[-1]
        befores = [out.get() for out in outs]
        results = tuple(map(view, outs))
        method(*map(view, arrays), out=results if len(results) > 1 else results[0])
        for out, before, want in zip(outs, befores, wants, strict=True):
            view(before)[...] = want
            assert bits(out.get()) == bits(before)
    assert len(rows) == 2


@pytest.mark.usefixtures("gpu")
def test_more_rows_than_a_grid_has_in_its_second_dimension(rows: list[int]) -> None:
    x = np.random.default_rng(0).normal(size=(66_000, 8)).astype("f4")
    np.testing.assert_array_equal(gs.swiglu.packed(cupy.asarray(x)).get(), gs.swiglu.packed(x))
    assert rows == [66_000]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("repeated", [lambda g: g[:1], lambda g: g[:, 5:6]])
def test_what_is_repeated_for_rows_or_along_them(repeated: View, rows: list[int]) -> None:
    x, g = np.random.default_rng(0).normal(size=(2, 50, 36)).astype("f4")
    got = gs.silu.vjp(cupy.asarray(x), repeated(cupy.asarray(g)))
    np.testing.assert_array_equal(got.get(), gs.silu.vjp(x, repeated(g)))
    assert len(rows) == 1


def test_the_row_of_a_thread_is_exact() -> None:
    rng = np.random.default_rng(0)
    for across in (1, 2, 3, 5, 7, 1376, (1 << 20) - 1, 1 << 20, *map(int, rng.integers(1, 1 << 31, 200))):
        reciprocal = int(pitched.reciprocal_of(across))
        last = (1 << 64) // across - 1
        some = (1, 2, 65535, *map(int, rng.integers(0, 1 << 40, 9)))
        multiples = [min(n, last // across) * across for n in some]
        for index in (0, last, *(m + d for m in multiples for d in (-1, 0, 1) if 0 <= m + d <= last)):
            assert (index + 1) * reciprocal >> 64 == index // across, (index, across)


def test_rows_beyond_what_32_bits_count(tmp_path: Path) -> None:
    """Addresses are made so that only the row in question lies in memory."""
    program = lower_for(gs.sigmoid.formula, gs.sigmoid.mode, "float32")
    run = """
    extern "C" void run(long long row, float* in0, float* out0, long long columns, long long rows,
                        long long across, unsigned long long reciprocal, long long pitch) {
        blockDim.x = across;
        for (blockIdx.x = row; blockIdx.x < row + 2; ++blockIdx.x)
            for (threadIdx.x = 0; threadIdx.x < across; ++threadIdx.x)
                packed(in0, out0, columns, 0, rows, across, reciprocal, pitch, pitch);
    }"""
    library = compiled(tmp_path, SHIM + packed.source(program, "float32", 2, pitched=True) + run)
    columns, across, x = 37, 5, np.linspace(-9, 9, 40, dtype="f4")
    for row, pitch in (((1 << 33) + 5, 44), (7, (1 << 34) + 44)):
        out = np.zeros_like(x)
        begins = [ctypes.c_void_p((a.ctypes.data - 4 * row * pitch) % (1 << 64)) for a in (x, out)]
        sizes = [ctypes.c_longlong(n) for n in (columns, row + 1, across)]
        reciprocal = ctypes.c_ulonglong(int(pitched.reciprocal_of(across)))
        library.run(ctypes.c_longlong(row), *begins, *sizes, reciprocal, ctypes.c_longlong(pitch))
        np.testing.assert_array_equal(out[:columns], gs.sigmoid(x[:columns]))
        assert not out[columns:].any()
