"""JAX's handler for GPUs, called as XLA calls it, on CuPy's arrays: its launches against CuPy's own results.

XLA itself is not here: the call frame and the functions of its API are stand-ins. What is launched is
what CuPy compiles, by CuPy's driver, on a GPU or an emulated one.
"""

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.calls import sample
from helpers.methods import as_tuple, operands
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.modes import PUBLIC

library("jax")
need("cupy")

import cupy
from cupy_backends.cuda.api import driver

from gpu_sigmoid.backends.jax import cuda, cuda_handler, frame, native, table
from gpu_sigmoid.backends.jax.calls import METADATA_EXTENSION

WORD = ctypes.c_int64
messages: list[str] = []
launched: list[tuple[int, ...]] = []


class Frame:
    """A call frame in memory, as XLA would fill it, and the functions of its API that are called."""

    def __init__(self, key: int, arrays: list[Any], results: list[Any], stream: int, device: int = 0) -> None:
        self.kept: list[Any] = []
        api = self.words(*[0] * 32)
        functions = {
            frame.CREATE_ERROR: self.function(self.create_error),
            frame.GET_STREAM: self.function(lambda query: self.answer(query, stream)),
            frame.GET_DEVICE: self.function(lambda query: self.answer(query, device)),
        }
        for offset, function in functions.items():
            self.put(api, offset, function)
        scalar = self.words(0, self.words(key))
        self.address = self.words(*[0] * 32)
        self.put(self.address, frame.API, api)
        self.put(self.address, frame.CONTEXT, 0xC0)
        for offset, buffers in ((frame.INPUTS, arrays), (frame.OUTPUTS, results)):
            self.put(self.address, offset + frame.SIZE, len(buffers))
            self.put(self.address, offset + frame.ITEMS, self.words(*map(self.buffer, buffers)))
        self.put(self.address, frame.ATTRIBUTES + frame.ATTRIBUTE_ITEMS, self.words(scalar))

    def words(self, *values: int) -> int:
        array = (WORD * max(len(values), 1))(*values)
        self.kept.append(array)
        return ctypes.addressof(array)

    def buffer(self, array: Any) -> int:
        place = self.words(*[0] * 6)
        self.put(place, frame.DATA, array.data.ptr)
        self.put(place, frame.RANK, array.ndim)
        self.put(place, frame.DIMS, self.words(*array.shape))
        return place

    def put(self, place: int, offset: int, value: int) -> None:
        WORD.from_address(place + offset).value = value

    def function(self, python: Any) -> int:
        self.kept.append(native.Handler(python))
        return ctypes.cast(self.kept[-1], ctypes.c_void_p).value or 0

    def answer(self, query: int, value: int) -> None:
        assert WORD.from_address(query + 16).value == 0xC0
        ctypes.c_int32.from_address(query + 24).value = value

    def create_error(self, query: int) -> int:
        messages.append(ctypes.string_at(WORD.from_address(query + 16).value).decode())
        return 0xBAD


@pytest.fixture
def handler() -> Iterator[Any]:
    """The native handler, which launches through CuPy's driver and notes how."""
    ints, pointers = [ctypes.c_uint] * 7, [ctypes.c_void_p] * 3

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, *ints, *pointers)
    def launch(function: int, *rest: Any) -> int:
        grid, block, (shared, stream, parameters, extra) = rest[:3], rest[3:6], rest[6:]
        launched.append((*grid, *block, shared, stream or 0))
        assert not extra
        driver.launchKernel(function, *grid, *block, shared, stream or 0, parameters, 0)
        return 0

    native.why_not()
    before = cuda.DRIVER.copy()
    address = cuda.compiled(ctypes.cast(launch, ctypes.c_void_p).value or 0)
    messages.clear()
    launched.clear()
    yield native.Handler(address)
    cuda.DRIVER[:] = before


def prepared(method: Any, dtype: str, arrays: list[Any], results: list[Any], stream: int = 0) -> Frame:
    key = table.key_of(method, dtype)
    cuda.load(key, 0)
    return Frame(key, arrays, results, stream)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_same_bits_as_cupys(handler: Any, function: Any, name: str, dtype: str) -> None:
    method = function.methods[name]
    for size in (1, 7, 1000, 4099):
        given = [cupy.asarray(a) for a in sample(method, numpy_dtype(dtype), size)]
        results = [cupy.zeros_like(given[0]) for _ in method.mode.partials]
        call = prepared(method, dtype, given, results)
        assert not handler(call.address)
        for result, want in zip(results, as_tuple(method(*given)), strict=True):
            np.testing.assert_array_equal(result.get(), want.get())


@pytest.mark.parametrize("offset", [0, 3])
@pytest.mark.parametrize("name", ["value", "value_and_grad"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_large_16_bit_arrays_are_looked_up(handler: Any, dtype: str, name: str, offset: int) -> None:
    from gpu_sigmoid.backends.cupy import lut

    method = gs.softplus.methods[name]
    cuda.DRIVER[cuda_handler.LOOK_UP_FROM // 8] = 50_000
    x = cupy.asarray(np.linspace(-20, 20, 60_001).astype(numpy_dtype(dtype)))[offset:]
    results = [cupy.zeros(60_001, x.dtype)[offset:] for _ in method.mode.partials]
    assert not handler(prepared(method, dtype, [x], results).address)
    for result, want in zip(results, as_tuple(method(x)), strict=True):
        np.testing.assert_array_equal(result.get(), want.get())
    processors = lut.processors(0) // len(results)
    assert launched == [(min(8, processors), len(results), 1, lut.THREADS, 1, 1, lut.TABLE_BYTES, 0)]


@pytest.mark.parametrize("name", ["value", "value_and_grad", "vjp"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_first_result_takes_the_first_operands_place(handler: Any, dtype: str, name: str) -> None:
    """As XLA has it of a donated one; looked up, two results would be computed side by side."""
    method = gs.softplus.methods[name]
    cuda.DRIVER[cuda_handler.LOOK_UP_FROM // 8] = 50_000
    x = np.linspace(-20, 20, 60_001).astype(numpy_dtype(dtype))
    given = [cupy.asarray(a) for a in operands(gs.softplus, name, x)]
    want = [y.get() for y in as_tuple(method(*given))]
    results = [given[0], *(cupy.zeros_like(given[0]) for _ in want[1:])]
    assert not handler(prepared(method, dtype, given, results).address)
    for result, expected in zip(results, want, strict=True):
        np.testing.assert_array_equal(result.get(), expected)


@pytest.mark.parametrize("offsets", [(0, 0), (1, 1), (3, 3), (0, 1), (2, 3)])
def test_arrays_off_a_vectors_boundary(handler: Any, offsets: tuple[int, int]) -> None:
    size = 1001
    source, target = cupy.linspace(-9, 9, size + 8, dtype=np.float32), cupy.zeros(size + 8, np.float32)
    x, y = source[offsets[0] :][:size], target[offsets[1] :][:size]
    call = prepared(gs.sigmoid, "float32", [x], [y])
    assert not handler(call.address)
    np.testing.assert_array_equal(y.get(), gs.sigmoid(x.get()))
    assert target.get()[: offsets[1]].sum() == target.get()[offsets[1] + size :].sum() == 0


def test_launches_on_xlas_stream(handler: Any) -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        x, y = cupy.linspace(-9, 9, 5000, dtype=np.float32), cupy.zeros(5000, np.float32)
    call = prepared(gs.sigmoid, "float32", [x], [y], stream.ptr)
    assert not handler(call.address)
    stream.synchronize()
    np.testing.assert_array_equal(y.get(), gs.sigmoid(x.get()))
    # 16 elements a thread, 128 threads a block
    assert launched == [(3, 1, 1, 128, 1, 1, 0, stream.ptr)]


def test_empty_arrays_launch_nothing(handler: Any) -> None:
    empty = cupy.zeros((3, 0), np.float32)
    call = prepared(gs.sigmoid, "float32", [empty], [empty.copy()])
    assert not handler(call.address)
    assert launched == []


def test_failures_are_xlas_to_raise(handler: Any) -> None:
    x = cupy.zeros(3, np.float32)
    unknown = Frame(table.key_of(gs.sigmoid, "float32"), [x], [x], 0, device=5)
    assert handler(unknown.address) == 0xBAD
    assert "not compiled" in messages[-1]
    assert launched == []
    failing = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 11)(lambda *_: 701)
    cuda.DRIVER[0] = ctypes.cast(failing, ctypes.c_void_p).value
    assert handler(prepared(gs.sigmoid, "float32", [x], [x]).address) == 0xBAD
    assert "could not be launched" in messages[-1]


def test_it_may_be_captured(handler: Any) -> None:
    """Asked at registration, it declares the API's version and that a CUDA graph may hold it."""
    metadata = (ctypes.c_int32 * 12)()
    call = Frame(0, [], [], 0)
    extension = call.words(24, METADATA_EXTENSION, 0, ctypes.addressof(metadata))
    call.put(call.address, frame.EXTENSION, extension)
    assert not handler(call.address)
    assert metadata[frame.TRAITS // 4] == cuda_handler.COMMAND_BUFFER_COMPATIBLE
    assert (metadata[frame.MAJOR // 4], metadata[frame.MINOR // 4]) == frame.version_of(frame.read_header())
