"""Graphs: what a capture records is replayed, and what CUDA refuses in one is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from emulated_gpu.whole_kernel import failure

GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2


def prepared(cupy: Any) -> tuple[Any, Any, Any]:
    """Return a stream and two arrays, with the kernel that copies them compiled."""
    target, source = cupy.zeros(1000, "f4"), cupy.ones(1000, "f4")
    cupy.copyto(target[::2], source[::2])
    target[...] = 0
    cupy.cuda.Device().synchronize()
    return cupy.cuda.Stream(non_blocking=True), target, source


def test_replays_compute_from_what_their_inputs_then_hold(gpu: Any) -> None:
    stream, target, source = prepared(gpu)
    with stream:
        stream.begin_capture()
        gpu.copyto(target, source)
        gpu.copyto(target[::2], source[1::2])
        graph = stream.end_capture()
        assert not target.get(stream=stream).any()
        for value in (1, 5):
            source[...] = value
            graph.launch()
            assert (target.get(stream=stream) == value).all()


def test_streams_join_by_events(gpu: Any) -> None:
    stream, target, source = prepared(gpu)
    other = gpu.cuda.Stream(non_blocking=True)
    stream.begin_capture()
    other.wait_event(stream.record())
    with other:
        gpu.copyto(target, source)
    stream.wait_event(other.record())
    graph = stream.end_capture()
    graph.launch(stream)
    assert target.get(stream=stream).all()


def refused(cupy: Any, stream: Any, work: Callable[[], Any], mode: int = RELAXED) -> tuple[str, str]:
    """Return the errors of work in a capture and of its end."""
    stream.begin_capture(mode)
    try:
        with stream:
            inside = failure_of(cupy, work)
    finally:
        end = failure_of(cupy, stream.end_capture)
    return inside, end


def failure_of(cupy: Any, call: Callable[[], Any]) -> str:
    try:
        call()
    except (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError) as error:
        return str(error)
    return "no error"


@pytest.mark.parametrize("what", ["synchronize", "query", "device", "to host", "from host"])
def test_what_waits_is_refused_and_ends_the_capture(emulated: Any, what: str) -> None:
    stream, target, _ = prepared(emulated)
    host = np.zeros(1000, np.float32)
    work = {
        "synchronize": stream.synchronize,
        "query": lambda: stream.done,
        "device": emulated.cuda.Device().synchronize,
        "to host": lambda: emulated.cuda.runtime.memcpyAsync(
            host.ctypes.data, target.data.ptr, 4, 2, stream.ptr
        ),
        "from host": lambda: emulated.cuda.runtime.memcpyAsync(
            target.data.ptr, host.ctypes.data, 4, 1, stream.ptr
        ),
    }[what]
    inside, end = refused(emulated, stream, work)
    assert "cudaErrorStreamCaptureUnsupported" in inside
    assert "cudaErrorStreamCaptureInvalidated" in end


@pytest.mark.parametrize(("mode", "allowed"), [(GLOBAL, False), (THREAD_LOCAL, False), (RELAXED, True)])
def test_allocations_are_refused_unless_relaxed(gpu: Any, mode: int, allowed: bool) -> None:
    stream, *_ = prepared(gpu)
    taken: list[int] = []
    inside, end = refused(gpu, stream, lambda: taken.append(gpu.cuda.runtime.malloc(1 << 20)), mode)
    assert ("no error" in inside, "no error" in end) == (allowed, allowed)
    for address in taken:
        gpu.cuda.runtime.free(address)


def test_the_default_stream_must_not_wait_for_a_capture(emulated: Any) -> None:
    _, target, source = prepared(emulated)
    blocking = emulated.cuda.Stream()
    blocking.begin_capture()
    with emulated.cuda.Stream.null:
        inside = failure_of(emulated, lambda: emulated.copyto(target, source))
    assert "cudaErrorStreamCaptureImplicit" in inside
    assert "cudaErrorStreamCaptureInvalidated" in failure_of(emulated, blocking.end_capture)


def test_the_default_stream_cannot_be_captured(gpu: Any) -> None:
    assert "cudaErrorStreamCaptureUnsupported" in failure_of(
        gpu, lambda: gpu.cuda.runtime.streamBeginCapture(0, RELAXED)
    )


def test_waiting_for_what_is_not_captured_is_refused(emulated: Any) -> None:
    stream, *_ = prepared(emulated)
    event = emulated.cuda.Stream(non_blocking=True).record()
    inside, end = refused(emulated, stream, lambda: stream.wait_event(event))
    assert "cudaErrorStreamCaptureIsolation" in inside
    assert "cudaErrorStreamCaptureInvalidated" in end


def test_a_stream_that_joined_has_to_be_waited_for(emulated: Any) -> None:
    stream, *_ = prepared(emulated)
    other = emulated.cuda.Stream(non_blocking=True)
    _, end = refused(emulated, stream, lambda: other.wait_event(stream.record()))
    assert "cudaErrorStreamCaptureUnjoined" in end


def test_an_event_of_a_capture_cannot_be_waited_for(emulated: Any) -> None:
    stream, *_ = prepared(emulated)
    events: list[Any] = []
    refused(emulated, stream, lambda: events.append(stream.record()))
    assert "cudaErrorCapturedEvent" in failure(emulated, events[0].synchronize)


def test_captures_cannot_merge(emulated: Any) -> None:
    stream, *_ = prepared(emulated)
    other = emulated.cuda.Stream(non_blocking=True)
    other.begin_capture()
    inside, _ = refused(emulated, stream, lambda: other.wait_event(stream.record()))
    assert "cudaErrorStreamCaptureMerge" in inside
    assert "cudaErrorStreamCaptureInvalidated" in failure_of(emulated, other.end_capture)
