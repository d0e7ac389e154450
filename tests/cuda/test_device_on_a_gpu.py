"""gs.device in kernels of numba-cuda's, run: the CPU's bits in every float that Numba has there."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.calls import bits, sample

import gpu_sigmoid as gs

need("numba_cuda")

from numba import cuda


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_cpus_bits(dtype: str) -> None:
    @cuda.jit
    def kernel(x: Any, target: Any, cotangent: Any, out: Any) -> None:
        i = cuda.grid(1)
        if i < x.size:
            value, grad = gs.device.bce_with_logits.value_and_grad(x[i], target[i])
            out[0, i], out[1, i] = value, grad
            out[2, i] = gs.device.silu.vjp(x[i], cotangent[i])

    operands = sample(gs.bce_with_logits.vjp, dtype, 500)
    out = cuda.to_device(np.zeros((3, 500), dtype))
    kernel[5, 100](*map(cuda.to_device, operands), out)
    x, target, cotangent = operands
    want = (*gs.bce_with_logits.value_and_grad(x, target), gs.silu.vjp(x, cotangent))
    for got, w in zip(out.copy_to_host(), want, strict=True):
        assert bits(got) == bits(w)


def test_float16_beside_float32_is_computed_in_float32() -> None:
    @cuda.jit
    def kernel(x: Any, target: Any, out: Any) -> None:
        i = cuda.grid(1)
        if i < x.size:
            out[i] = gs.device.bce_with_logits(x[i], target[i])

    (x, _), (_, target) = (sample(gs.bce_with_logits, dtype, 100) for dtype in ("float16", "float32"))
    out = cuda.to_device(np.zeros(100, np.float32))
    kernel[1, 100](cuda.to_device(x), cuda.to_device(target), out)
    assert bits(out.copy_to_host()) == bits(gs.bce_with_logits(x, target))
