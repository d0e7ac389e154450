"""Numba device arrays that are bound to streams: what waits for what, and graph captures."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import need

import gpu_sigmoid as gs

need("numba_cuda", "cupy")

import cupy
from numba import cuda

COUNT = 1 << 20
SOURCES = {value: cuda.to_device(np.full(COUNT, value, np.float32)) for value in (0.25, 3.0)}


def ready(value: float, stream: Any) -> Any:
    """Return an array bound to a stream on which it is filled, late."""
    array = cuda.to_device(np.zeros(COUNT, np.float32))
    cuda.synchronize()
    for _ in range(20):
        array.copy_to_device(SOURCES[value], stream=stream)
    return array.bind(stream)


def streams(count: int) -> list[Any]:
    """Return streams that nothing but events orders, and that outlive the test."""
    made = [cupy.cuda.Stream(non_blocking=True) for _ in range(count)]
    KEPT.extend(made)
    return [cuda.external_stream(stream.ptr) for stream in made]


KEPT: list[Any] = []


def host(array: Any) -> np.ndarray:
    """Return an array's elements, read on the stream it is bound to."""
    copy = cuda.pinned_array(array.shape, array.dtype)
    array.copy_to_host(copy)
    if array.stream:
        array.stream.synchronize()
    return np.array(copy)


X, T = np.full(COUNT, 3.0, np.float32), np.full(COUNT, 0.25, np.float32)


def test_results_are_bound_to_the_stream() -> None:
    (stream,) = streams(1)
    result = gs.sigmoid(ready(3.0, stream))
    assert result.stream is stream
    assert (host(result) == gs.sigmoid(X)).all()


def test_operands_on_two_streams_are_waited_for() -> None:
    gs.bce_with_logits(SOURCES[3.0], SOURCES[0.25])
    first, second = streams(2)
    result = gs.bce_with_logits(ready(3.0, first), ready(0.25, second))
    assert result.stream is first
    assert (host(result) == gs.bce_with_logits(X, T)).all()


def test_an_output_on_another_stream() -> None:
    """It is written after what it was used for there, and what comes after there waits for it."""
    first, second = streams(2)
    x, out = ready(3.0, first), ready(0.25, second)
    assert gs.sigmoid(x, out=out) is out
    assert (host(out) == gs.sigmoid(X)).all()
    first, second = streams(2)
    x, out = ready(3.0, first), ready(0.25, second)
    before = cuda.device_array(COUNT, np.float32, stream=second)
    before.copy_to_device(out, stream=second)
    gs.sigmoid(x, out=out)
    assert (host(before) == 0.25).all()


def test_an_operand_may_be_overwritten_on_its_stream() -> None:
    first, second = streams(2)
    x, t = ready(3.0, first), ready(0.25, second)
    result = gs.bce_with_logits(x, t)
    t.copy_to_device(SOURCES[3.0], stream=second)
    second.synchronize()
    assert (host(result) == gs.bce_with_logits(X, T)).all()


def test_two_names_of_one_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    (stream,) = streams(1)
    again = cuda.external_stream(int(stream.handle))
    monkeypatch.setattr(cuda, "event", None)
    result = gs.bce_with_logits(ready(3.0, stream), ready(0.25, again))
    assert (host(result) == gs.bce_with_logits(X, T)).all()


def test_captures() -> None:
    gs.sigmoid(SOURCES[3.0])
    with cupy.cuda.Stream(non_blocking=True) as capturing:
        stream, (other,) = cuda.external_stream(capturing.ptr), streams(1)
        memory = cuda.to_device(np.concatenate([X, X[:1]]))
        x, t = cuda.to_device(X).bind(stream), cuda.to_device(T)
        out = cuda.to_device(np.zeros_like(X)).bind(stream)
        cuda.synchronize()
        capturing.begin_capture()
        gs.sigmoid(x, out=out)
        with pytest.raises(
            RuntimeError, match=r"^bce_with_logits: arrays are bound to several streams, and one"
        ):
            gs.bce_with_logits(x, t.bind(other), out=out)
        with pytest.raises(
            RuntimeError, match=r"^sigmoid: .*partly overlaps out has to be copied.* before the capture"
        ):
            gs.sigmoid(memory[:-1].bind(stream), out=memory[1:])
        graph = capturing.end_capture()
        graph.launch()
        capturing.synchronize()
    assert (host(out) == gs.sigmoid(X)).all()
    assert memory.copy_to_host().tobytes() == np.concatenate([X, X[:1]]).tobytes()


def test_overlap_on_a_stream() -> None:
    (stream,) = streams(1)
    values = np.linspace(-5, 5, COUNT, dtype=np.float32)
    memory, late = cuda.to_device(np.zeros(COUNT + 1, np.float32)), cuda.to_device(values)
    gs.sigmoid(memory[:-1], out=memory[1:])
    cuda.synchronize()
    memory[:-1].copy_to_device(late, stream=stream)
    out = memory[1:].bind(stream)
    gs.sigmoid(memory[:-1], out=out)
    assert host(out).tobytes() == gs.sigmoid(values).tobytes()
