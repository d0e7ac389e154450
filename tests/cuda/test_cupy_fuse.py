"""Kernels that CuPy compiles from Python: the functions within cupy.fuse and cupyx.jit."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.calls import bits, sample
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

need("cupy")

import cupy
from cupyx import jit

FLOATS = ["float16", "float32", "float64"]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", PUBLIC)
def test_fuse_takes_the_functions(name: str, dtype: str) -> None:
    for function in (gs.silu, gs.bce_with_logits):
        method = function.methods[name]
        hosts = sample(method, dtype, 1000)
        fused = cupy.fuse(kernel_name="fused")(lambda *operands, method=method: method(*operands))
        got = as_tuple(fused(*map(cupy.asarray, hosts)))
        for g, want in zip(got, as_tuple(method(*hosts)), strict=True):
            assert g.dtype == want.dtype
            assert bits(g.get()) == bits(want)


def test_several_functions_in_one_kernel_with_other_operations() -> None:
    @cupy.fuse()
    def fused(x: Any, y: Any) -> Any:
        return cupy.maximum(gs.silu(x), gs.sigmoid.grad(-y))

    x, y = sample(gs.sigmoid.vjp, "float32", 1000)
    want = np.maximum(gs.silu(x), gs.sigmoid.grad(-y))
    assert bits(fused(cupy.asarray(x), cupy.asarray(y)).get()) == bits(want)


def test_fuse_writes_into_an_operand() -> None:
    @cupy.fuse()
    def fused(x: Any, y: Any) -> None:
        gs.silu(x, out=y)

    (x,) = sample(gs.silu, "float64", 100)
    there = cupy.zeros(100)
    fused(cupy.asarray(x), there)
    assert bits(there.get()) == bits(gs.silu(x))


def test_fuse_refuses_one_array_for_two_results() -> None:
    @cupy.fuse()
    def fused(x: Any) -> None:
        gs.silu.value_and_grad(x, out=x)

    with pytest.raises(TypeError, match=r"value_and_grad: out .* a tuple of 2 arrays, not 1"):
        fused(cupy.zeros(3))


@pytest.mark.filterwarnings("ignore:cupyx.jit.rawkernel is experimental")
@pytest.mark.parametrize("dtype", FLOATS)
def test_jit_takes_ufuncs(dtype: str) -> None:
    silu, gradient = gs.cupy_ufunc(gs.silu), gs.cupy_ufunc(gs.sigmoid.vjp)

    @jit.rawkernel()
    def kernel(x: Any, y: Any, size: Any) -> None:
        i = jit.grid(1)
        if i < size:
            y[i] = silu(gradient(x[i], y[i]))

    x, y = sample(gs.sigmoid.vjp, dtype, 1000)
    there = cupy.asarray(y)
    kernel[8, 128](cupy.asarray(x), there, 1000)
    assert bits(there.get()) == bits(gs.silu(gs.sigmoid.vjp(x, y)))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64"])
def test_a_ufunc_computes_integers_in_float64(dtype: str) -> None:
    x = np.arange(2).astype(dtype)
    got = gs.cupy_ufunc(gs.sigmoid)(cupy.asarray(x))
    assert got.dtype == np.float64
    assert bits(got.get()) == bits(gs.sigmoid(x))


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match=r"cupy_ufunc: .* is not a function of gpu_sigmoid"):
        gs.cupy_ufunc(cupy.exp)
