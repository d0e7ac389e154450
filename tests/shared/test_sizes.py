"""Sizes around those of vectors, blocks and tables, wherever arrays begin."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, checked, checked_into, sample
from helpers.combinations import with_a_dtype
from helpers.floats import DTYPES, all_patterns
from helpers.methods import as_tuple, of_each_signature

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()

# a vector is 16 bytes, 2 to 8 elements; a block of threads 128 or 256, of one or two vectors each
SIZES = [1, 2, 3, 5, 7, 8, 9, 15, 17, 33, 127, 129, 257, 513, 1025, 4099]


@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_size_and_alignment(dtype: str, size: int, offset: int, backend: Backend) -> None:
    for method in (gs.silu, gs.sigmoid.value_and_grad, gs.softplus.vjp):
        hosts = [a[offset:] for a in sample(method, DTYPES[dtype], size + offset)]
        got = as_tuple(checked(backend, method, *hosts))
        # into memory that begins elsewhere, and into memory that begins alike
        for start in (0, offset):
            outs = []
            for _ in got:
                memory = np.full(size + 16, 7, DTYPES[dtype])
                outs.append(backend.lay(memory, memory[start : start + size]))
            checked_into(backend, method, tuple(hosts), tuple(out for _, out in outs))
            for whole, _ in outs:
                after = backend.to_host(whole)
                assert (after[:start] == 7).all()
                assert (after[start + size :] == 7).all()


@with_a_dtype(function=FUNCTIONS.values(), name=PUBLIC, size=[7, 33, 1000])
def test_operands_that_begin_elsewhere(
    function: Any, name: str, dtype: str, size: int, backend: Backend
) -> None:
    method = function.methods[name]
    starts = [3, 0, 5, 1]
    hosts = sample(method, DTYPES[dtype], size + 5)
    checked(backend, method, *(a[start:][:size] for a, start in zip(hosts, starts, strict=False)))


# CuPy's kernels look results of 16 bits up from a million elements and more; all patterns, many times
MANY = [(1 << 20) - 1, (1 << 20) + 9, (3 << 19) + 9]


@pytest.mark.parametrize("size", MANY)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_many_elements_of_16_bits(dtype: str, size: int, backend: Backend) -> None:
    table = all_patterns(dtype)
    wanted = [np.resize(w, size) for w in gs.silu.value_and_grad(table)]
    memory = np.concatenate([table[:1], np.resize(table, size)])
    _, x = backend.lay(memory, memory[1:])
    assert_results(backend, gs.silu(x), (wanted[0],))
    assert_results(backend, gs.silu.value_and_grad(x), tuple(wanted))
    other = backend.to_device(np.zeros(size, DTYPES[dtype]))
    assert gs.silu.grad(x, out=other) is other
    assert_results(backend, other, (wanted[1],))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_many_elements_of_16_bits_in_place(dtype: str, place: int, backend: Backend) -> None:
    table = all_patterns(dtype)
    wanted = [np.resize(w, MANY[-1]) for w in gs.softplus.value_and_grad(table)]
    (x,) = backend.lay(np.resize(table, MANY[-1]))
    got = gs.softplus.value_and_grad(x, out=(x, None) if place == 0 else (None, x))
    assert got[place] is x
    assert_results(backend, got, tuple(wanted))


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_element_at_all(function: Any, dtype: str, backend: Backend) -> None:
    for name in PUBLIC:
        method = function.methods[name]
        for shape in ((0,), (0, 3), (3, 0), (2, 0, 5)):
            hosts = [np.zeros(shape, DTYPES[dtype]) for _ in method.operands]
            got = as_tuple(method(*map(backend.to_device, hosts)))
            for y in got:
                assert type(y) is backend.array_type
                assert (y.dtype, y.shape) == (DTYPES[dtype], shape)
            outs = tuple(map(backend.to_device, [np.zeros(shape, DTYPES[dtype])] * len(got)))
            again = method(*map(backend.to_device, hosts), out=outs if len(outs) > 1 else outs[0])
            assert all(y is out for y, out in zip(as_tuple(again), outs, strict=True))
