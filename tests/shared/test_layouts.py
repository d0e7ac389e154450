"""Operands of any layout: the results are those of contiguous copies, in the operands' order of memory."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import checked, sample
from helpers.combinations import with_a_dtype
from helpers.floats import DTYPES
from helpers.layouts import LAYOUTS, MANY_AXES, SIZE
from helpers.methods import of_each_signature

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()


# each kind of kernel, of each function: over contiguous arrays, and over others
@pytest.mark.parametrize("layout", ["contiguous", "every third"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_every_function(function: Any, name: str, dtype: str, layout: str, backend: Backend) -> None:
    method = function.methods[name]
    checked(backend, method, *(LAYOUTS[layout](a) for a in sample(method, DTYPES[dtype], SIZE)))


@with_a_dtype(function=FUNCTIONS.values(), name=PUBLIC, layout=LAYOUTS)
def test_every_layout(function: Any, name: str, dtype: str, layout: str, backend: Backend) -> None:
    method = function.methods[name]
    checked(backend, method, *(LAYOUTS[layout](a) for a in sample(method, DTYPES[dtype], SIZE)))


@pytest.mark.parametrize("layout", MANY_AXES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_many_axes(name: str, dtype: str, layout: str, backend: Backend) -> None:
    for method in (gs.silu.methods[name], gs.bce_with_logits.methods[name]):
        checked(backend, method, *map(MANY_AXES[layout], sample(method, DTYPES[dtype], SIZE)))


MATRICES = {
    "C": lambda x: x[:48].reshape(6, 8),
    "Fortran": lambda x: x[:48].reshape(8, 6).T,
    "misaligned": lambda x: x[1:49].reshape(6, 8),
    "sliced": lambda x: x[:120].reshape(6, 20)[:, 2:18:2],
    "reversed": lambda x: x[:48].reshape(6, 8)[::-1, ::-1],
    "repeated": lambda x: np.broadcast_to(x[:8], (6, 8)),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layouts", list(product(MATRICES, MATRICES)), ids="-".join)
def test_operands_of_different_layouts(layouts: tuple[str, str], dtype: str, backend: Backend) -> None:
    for method in (gs.sigmoid.vjp, gs.bce_with_logits.value_and_grad):
        arrays = sample(method, DTYPES[dtype], SIZE)
        checked(
            backend, method, *(MATRICES[k](a) for k, a in zip((*layouts, layouts[0]), arrays, strict=False))
        )


# by the library's own slicing; the layouts above are made from addresses and strides
SLICES = {
    "every other": lambda x: x[::2],
    "reversed": lambda x: x[::-1],
    "part": lambda x: x[3:200],
    "matrix": lambda x: x[:240].reshape(12, 20),
    "rows": lambda x: x[:240].reshape(12, 20)[2:9],
    "columns": lambda x: x[:240].reshape(12, 20)[:, 3:17:2],
    "transposed": lambda x: x[:240].reshape(12, 20).T,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("view", SLICES)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_slices_of_the_librarys_own(function: Any, view: str, dtype: str, backend: Backend) -> None:
    if (view, dtype, backend.name) == ("transposed", "bfloat16", "numba_cuda"):
        pytest.skip("numba-cuda transposes by a kernel of its own, which has no bfloat16")
    hosts = sample(function, DTYPES[dtype], SIZE)
    got = function(*(SLICES[view](backend.to_device(a)) for a in hosts))
    want = function(*(np.array(SLICES[view](a)) for a in hosts))
    assert type(got) is backend.array_type
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    assert backend.to_host(got).tobytes() == want.tobytes()
