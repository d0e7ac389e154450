"""The inner loop on steps, sizes and alignments of every kind: the bits of contiguous copies."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers.calls import bits, same_bits
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import compile, vectorize
from gpu_sigmoid.backends.cpu.loop import TILE

DTYPES = ["float16", "float32", "float64"]
# around a group of elements, and around a tile
SIZES = [1, 2, 15, 16, 63, 64, 65, 130, *(TILE // size + by for size in (2, 4, 8) for by in (-1, 1)), 5003]
STEPS = [1, -1, 2, -2, 3, 0]
# of one operand, float16 is looked up: methods of two operands are computed
METHODS = [gs.sigmoid.methods["value"], gs.bce_with_logits.value_and_grad, gs.swiglu.value_and_grad.flat]


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


AXES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rows of 3": lambda x: x[:28_000].reshape(7000, 4)[:, 1:],
    "rows of 30": lambda x: x[:28_000].reshape(700, 40)[:, 5:35],
    "rows of 300": lambda x: x[:28_000].reshape(70, 400)[:, 100:],
    "rows of 3000": lambda x: x[:28_000].reshape(7, 4000)[:, 1:3001],
    "columns": lambda x: x[:42_000].reshape(210, 200)[:, ::2],
    "reversed": lambda x: x[:20_000].reshape(100, 200)[::-1, ::-1],
    "transposed": lambda x: x[:20_000].reshape(100, 200).T,
    "permuted": lambda x: x[:24_000].reshape(10, 20, 30, 4).transpose(2, 0, 3, 1),
    "five axes": lambda x: x[:48_000].reshape(8, 10, 20, 10, 3)[::-2, :, ::2, ::-1, 1:],
    "one row": lambda x: np.broadcast_to(x[:100], (200, 100)),
    "one column": lambda x: np.broadcast_to(x[:200, None], (200, 100)),
}
WRITABLE = [name for name in AXES if "one" not in name]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axes", AXES)
def test_several_axes(axes: str, dtype: str) -> None:
    for method in METHODS:
        held = [numbers(48_000, dtype, k) for k in range(len(method.operands))]
        inputs = [AXES[axes](h) for h in held]
        shape = inputs[0].shape
        want = as_tuple(method(*(np.array(i, order="C") for i in inputs)))
        assert same_bits(method(*inputs), want)
        for more in ({0: inputs[0][..., :1]}, {len(inputs) - 1: inputs[-1][:1]}):
            # an operand that is repeated
            some = [more.get(k, i) for k, i in enumerate(inputs)]
            alike = method(
                *(np.array(np.broadcast_to(i, np.broadcast_shapes(*(s.shape for s in some)))) for i in some)
            )
            assert same_bits(method(*some), alike)
        for written in (name for name in WRITABLE if AXES[name](held[0]).shape == shape):
            memory = [numbers(48_000, dtype, 9) for _ in want]
            after = [m.copy() for m in memory]
            outs = tuple(AXES[written](m) for m in memory)
            method(*inputs, out=outs if len(outs) > 1 else outs[0])
            for m, a, w in zip(memory, after, want, strict=True):
                AXES[written](a)[...] = w
                assert bits(m) == bits(a)
        if axes in WRITABLE:
            places = (inputs[0], *(np.empty(shape, dtype) for _ in want[1:]))
            method(*inputs, out=places if len(places) > 1 else places[0])
            assert same_bits(places, want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_results_that_are_halves_of_one_array(dtype: str) -> None:
    x = numbers(40_000, dtype, 1).reshape(100, 400)
    want = gs.sigmoid.value_and_grad(x)
    both = np.empty((100, 800), dtype)
    gs.sigmoid.value_and_grad(x, out=(both[:, :400], both[:, 400:]))
    assert bits(both) == bits(np.hstack(want))
