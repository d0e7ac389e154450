"""CUDA tensors without torch for CUDA: what is launched, given tensors that are CuPy arrays inside."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.methods import as_tuple
from helpers.required import library

import gpu_sigmoid as gs

library("torch")
need("cupy")

import cupy
from helpers.cuda_tensors import CudaTensor, make_current

from gpu_sigmoid.backends.torch import cuda
from gpu_sigmoid.backends.torch.operands import NAMES

CASES = [(gs.sigmoid, "value"), (gs.sigmoid, "value_and_grad"), (gs.silu, "vjp"), (gs.bce_with_logits, "vjp")]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return torch's current stream, which is not CuPy's."""
    stream = cupy.cuda.Stream(non_blocking=True)
    make_current(stream, lambda *replaced: monkeypatch.setattr(*replaced, raising=False))
    return stream


def refuse(*_: Any) -> None:
    raise AssertionError("contiguous tensors went by CuPy arrays")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(("size", "offset"), [(1000, 0), (1003, 1), (5, 3), (1, 0), (0, 0)])
def test_contiguous_tensors_are_one_launch(
    stream: Any, monkeypatch: pytest.MonkeyPatch, size: int, offset: int, dtype: str
) -> None:
    monkeypatch.setattr(cuda, "by_arrays", refuse)
    for function, name in CASES:
        method = function.methods[name]
        x = np.linspace(0.1, 0.9, size + offset).astype(dtype)
        operands = [cupy.asarray(x)[offset:] for _ in method.operands]
        results = [cupy.zeros(size + offset, dtype)[offset:] for _ in method.mode.partials]
        cupy.cuda.Device().synchronize()
        cuda.OnCuda(method).into(tuple(map(CudaTensor, operands)), tuple(map(CudaTensor, results)))
        stream.synchronize()
        for result, want in zip(results, as_tuple(method(*[x[offset:]] * len(operands))), strict=True):
            np.testing.assert_array_equal(cupy.asnumpy(result), want)


@pytest.mark.parametrize(
    "spread", [lambda g, n: cupy.broadcast_to(g, (n,)), lambda g, n: g, lambda g, n: g[None]]
)
def test_one_number_for_all_elements_is_one_launch(
    stream: Any, monkeypatch: pytest.MonkeyPatch, spread: Any
) -> None:
    """The cotangent of a sum is one."""
    monkeypatch.setattr(cuda, "by_arrays", refuse)
    for size in (1000, 1003):
        x, g, result = np.linspace(0.1, 0.9, size, dtype="f4"), np.float32(1.5), cupy.zeros(size, "f4")
        operands = cupy.asarray(x), spread(cupy.asarray(g), size)
        cupy.cuda.Device().synchronize()
        cuda.OnCuda(gs.silu.vjp).into(tuple(map(CudaTensor, operands)), (CudaTensor(result),))
        stream.synchronize()
        np.testing.assert_array_equal(cupy.asnumpy(result), gs.silu.vjp(x, g))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rows_at_a_pitch_are_one_launch(stream: Any, monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    monkeypatch.setattr(cuda, "by_arrays", refuse)
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(30, 80)).astype(dtype), rng.normal(size=(30, 40)).astype(dtype)
    halves = lambda m: (m[:, :40], m[:, 40:])  # noqa: E731
    compute = cuda.OnCuda(gs.swiglu.vjp).into
    for place in ("elsewhere", "in the operand's place"):
        for cotangent in (g, g[:1], g[:, :1]):
            there, like = cupy.asarray(x), cupy.asarray(g)
            weight = like[: len(cotangent), : cotangent.shape[1]]
            out = there if place != "elsewhere" else cupy.zeros_like(there)
            cupy.cuda.Device().synchronize()
            compute(tuple(map(CudaTensor, (*halves(there), weight))), tuple(map(CudaTensor, halves(out))))
            stream.synchronize()
            want = np.concatenate(gs.swiglu.vjp(*halves(x), np.broadcast_to(cotangent, g.shape)), axis=1)
            np.testing.assert_array_equal(cupy.asnumpy(out), want)


def test_a_dense_tensor_in_another_order_is_one_launch(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "by_arrays", refuse)
    x = np.linspace(-9, 9, 3 * 4 * 5, dtype="f4").reshape(3, 4, 5)
    there, out = (cupy.asarray(a).transpose(0, 2, 1) for a in (x, np.zeros_like(x)))
    cupy.cuda.Device().synchronize()
    cuda.OnCuda(gs.sigmoid).into((CudaTensor(there),), (CudaTensor(out),))
    stream.synchronize()
    np.testing.assert_array_equal(cupy.asnumpy(out), gs.sigmoid(x).transpose(0, 2, 1))


def test_other_layouts_are_left_to_cupy_arrays(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(cuda, "by_arrays", lambda *given: seen.append(given))
    a, b = cupy.zeros(100, "float32"), cupy.zeros(100, "float32")
    cupy.cuda.Device().synchronize()
    askew = [cupy.ndarray(50, "float32", cupy.zeros(208, "u1").data + 2) for _ in range(2)]
    pairs = {
        "memory out of line": (askew[0], askew[1]),
        "an element out of line": (cupy.broadcast_to(askew[0][:1], 50), b[:50]),
        "overlap in part": (a[:50], a[10:60]),
        "strided": (a[::2], b[:50]),
        "strided result": (b[:50], a[::2]),
        "other alignment": (a[1:51], b[:50]),
        "an element of the result": (cupy.broadcast_to(a[50:51], 100), a),
        "its first": (cupy.broadcast_to(a[:1], 100), a),
        "rows that overlap": (a[:96].reshape(6, 16)[:, :8], a[:96].reshape(6, 16)[:, 4:12]),
        "rows out of line": (a[:96].reshape(6, 16)[:, :8], b[1:97].reshape(6, 16)[:, :8]),
        "transposed": (a[:60].reshape(6, 10), b[:60].reshape(10, 6).T),
    }
    compute = cuda.OnCuda(gs.sigmoid).into
    for count, (x, out) in enumerate(pairs.values(), 1):
        compute((CudaTensor(x),), (CudaTensor(out),))
        assert len(seen) == count, list(pairs)[count - 1]
    compute((CudaTensor(a),), (CudaTensor(a),))
    assert len(seen) == len(pairs)
    stream.synchronize()
    assert (cupy.asnumpy(a) == 0.5).all()


def test_large_16_bit_tensors_are_left_to_the_table(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu_sigmoid.backends.cupy import lut

    seen: list[Any] = []
    monkeypatch.setattr(cuda, "by_arrays", lambda *given: seen.append(given))
    for size, expected in ((lut.SERVED_FROM - 1, 0), (lut.SERVED_FROM, 1)):
        x = CudaTensor(cupy.empty(size, "float16"))
        cuda.OnCuda(gs.sigmoid).into((x,), (x,))
        cuda.OnCuda(gs.sigmoid.vjp).into((x, x), (x,))
        assert len(seen) == expected


def test_all_dtypes_have_a_name_for_kernels() -> None:
    assert {dtype.itemsize for dtype in NAMES} == {2, 4, 8}
