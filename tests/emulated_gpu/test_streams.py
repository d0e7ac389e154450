"""Streams: work is done as late as it may be, and in the order that events and the default stream ask for."""

import threading
from typing import Any

import numpy as np
import pytest

from emulated_gpu.whole_kernel import failure


def filled(cupy: Any) -> tuple[Any, Any]:
    """Return zeros and ones on the device, both of them there."""
    arrays = cupy.zeros(1000, "f4"), cupy.ones(1000, "f4")
    cupy.cuda.Device().synchronize()
    return arrays


def new(cupy: Any) -> Any:
    return cupy.cuda.Stream(non_blocking=True)


def on(stream: Any, cupy: Any, target: Any, source: Any) -> None:
    with stream:
        cupy.copyto(target, source)


def read(stream: Any, array: Any) -> float:
    """Return an array's first element as it is found on a stream."""
    return float(array.get(stream=stream)[0])


def test_what_is_not_ordered_is_not_there_yet(emulated: Any) -> None:
    target, source = filled(emulated)
    first, second = new(emulated), new(emulated)
    on(first, emulated, target, source)
    assert read(second, target) == 0
    assert read(first, target) == 1


def test_an_event_orders(gpu: Any) -> None:
    target, source = filled(gpu)
    first, second = new(gpu), new(gpu)
    on(first, gpu, target, source)
    second.wait_event(first.record())
    assert read(second, target) == 1


def test_an_event_orders_what_came_before_it_alone(emulated: Any) -> None:
    (target, source), (other, _) = filled(emulated), filled(emulated)
    first, second = new(emulated), new(emulated)
    on(first, emulated, target, source)
    event = first.record()
    on(first, emulated, other, source)
    event.synchronize()
    assert (read(second, target), read(second, other)) == (1, 0)
    assert not first.done


def test_the_default_stream_orders_blocking_ones_alone(emulated: Any) -> None:
    for blocking, found in ((True, 1), (False, 0)):
        target, source = filled(emulated)
        stream = emulated.cuda.Stream(non_blocking=not blocking)
        on(stream, emulated, target, source)
        assert read(emulated.cuda.Stream.null, target) == found
        target, source = filled(emulated)
        on(emulated.cuda.Stream.null, emulated, target, source)
        assert read(stream, target) == found


def test_an_event_is_reached_when_its_stream_is(emulated: Any) -> None:
    stream = new(emulated)
    target, source = filled(emulated)
    on(stream, emulated, target, source)
    event = stream.record()
    assert not event.done
    stream.synchronize()
    assert event.done


def test_times_between_events(gpu: Any) -> None:
    target, source = filled(gpu)
    stream = new(gpu)
    first = stream.record()
    on(stream, gpu, target, source)
    last = stream.record()
    last.synchronize()
    assert gpu.cuda.get_elapsed_time(first, last) > 0


def test_times_that_are_not_there_yet(emulated: Any) -> None:
    stream = new(emulated)
    event = stream.record()
    assert "cudaErrorNotReady" in failure(emulated, emulated.cuda.get_elapsed_time, event, event)


def test_pageable_memory_is_read_at_once_and_pinned_memory_later(emulated: Any) -> None:
    pinned = np.frombuffer(emulated.cuda.alloc_pinned_memory(4000), np.float32, 1000)
    for host, found in ((np.ones(1000, np.float32), 1), (pinned, 2)):
        host[:] = 1
        target, _ = filled(emulated)
        stream = new(emulated)
        target.set(host, stream=stream)
        host[:] = 2
        assert read(stream, target) == found


def test_memory_is_freed_when_all_work_is_done(gpu: Any) -> None:
    target, source = filled(gpu)
    on(new(gpu), gpu, target, source)
    gpu.cuda.runtime.free(gpu.cuda.runtime.malloc(8))
    assert read(new(gpu), target) == 1


def test_calls_on_the_host_come_in_turn(gpu: Any) -> None:
    stream, seen = new(gpu), []
    target, source = filled(gpu)
    on(stream, gpu, target, source)
    stream.launch_host_func(seen.append, 1)
    stream.synchronize()
    assert seen == [1]


def test_a_fault_is_told_once_and_drops_the_work_behind_it(emulated: Any) -> None:
    target, source = filled(emulated)
    trap = emulated.RawKernel('extern "C" __global__ void trap() { __trap(); }', "trap")
    stream = new(emulated)
    with stream:
        trap((1,), (1,), ())
        emulated.copyto(target, source)
    assert "cudaErrorLaunchFailure" in failure(emulated, stream.synchronize)
    assert read(stream, target) == 0


def test_threads_share_streams(gpu: Any) -> None:
    stream = new(gpu)
    target, source = filled(gpu)
    thread = threading.Thread(target=on, args=(stream, gpu, target, source))
    thread.start()
    thread.join()
    assert read(stream, target) == 1


@pytest.mark.parametrize("use", ["synchronize", "record"])
def test_destroyed_streams_are_refused(emulated: Any, use: str) -> None:
    runtime = emulated.cuda.runtime
    handle = runtime.streamCreate()
    runtime.streamDestroy(handle)
    stream = emulated.cuda.ExternalStream(handle)
    assert "cudaErrorInvalidResourceHandle" in failure(emulated, getattr(stream, use))
