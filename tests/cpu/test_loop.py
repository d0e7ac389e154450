"""The inner loop on steps, sizes and alignments of every kind: the bits of contiguous copies."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers.calls import bits
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import compile, vectorize
from gpu_sigmoid.backends.cpu.loop import TILE

DTYPES = ["float16", "float32", "float64"]
# around a group of elements, and around a tile
SIZES = [1, 2, 15, 16, 63, 64, 65, 130, *(TILE // size + by for size in (2, 4, 8) for by in (-1, 1)), 5003]
STEPS = [1, -1, 2, -2, 3, 0]
# 16-bit floats of one operand are looked up
METHODS = [gs.sigmoid.methods["value"], gs.bce_with_logits.value_and_grad]


def numbers(size: int, dtype: str, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=3, size=size).astype(dtype)


def view(held: np.ndarray, size: int, step: int) -> np.ndarray:
    """Return so many elements that lie `step` apart."""
    if step == 0:
        return np.broadcast_to(held[1], size)
    return held[: (size - 1) * abs(step) + 1 : abs(step)][:: 1 if step > 0 else -1]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_every_step(method: Any, dtype: str) -> None:
    for size, step, written in product(SIZES, STEPS, STEPS[:-1]):
        inputs = [view(numbers(3 * size, dtype, k), size, step) for k in range(len(method.operands))]
        want = as_tuple(method(*(i.copy() for i in inputs)))
        memory = [numbers(3 * size, dtype, 9) for _ in want]
        after = [m.copy() for m in memory]
        outs = tuple(view(m, size, written) for m in memory)
        method(*inputs, out=outs if len(outs) > 1 else outs[0])
        for m, a, w in zip(memory, after, want, strict=True):
            view(a, size, written)[...] = w
            assert bits(m) == bits(a)


def kernel_of_large_results(method: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> np.ufunc:
    """Return a kernel for which there are no caches."""
    monkeypatch.setattr(vectorize, "last_cache", lambda: 0)
    return compile.compile_ufunc(method.formula, method.mode, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_results_that_pass_by_the_caches(method: Any, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = kernel_of_large_results(method, dtype, monkeypatch)
    for size, step, shift in product((1, 64, 65, 200, 1500), (1, -1, 2, 0), range(0, 40, 3)):
        inputs = [view(numbers(3 * size, dtype, k), size, step) for k in range(kernel.nin)]
        want = as_tuple(method(*(i.copy() for i in inputs)))
        memory = [np.zeros(size + 200, dtype) for _ in want]
        kernel(*inputs, out=tuple(m[shift : shift + size] for m in memory))
        for m, w in zip(memory, want, strict=True):
            assert bits(m[shift : shift + size]) == bits(w)
            assert not m[:shift].any() and not m[shift + size :].any()


@pytest.mark.parametrize("shift", [0, 1, 5, 64, 100])
def test_operands_that_large_results_overlap(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = kernel_of_large_results(METHODS[0], "float32", monkeypatch)
    for size in (64, 1000, 3333):
        memory = numbers(size + shift, "float32", 5)
        want = gs.sigmoid(memory[shift:].copy())
        # NumPy lets a ufunc's loop read ahead of what it writes
        kernel(memory[shift:], memory[:size])
        assert bits(memory[:size]) == bits(want)
