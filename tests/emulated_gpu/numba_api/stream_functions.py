"""Streams and events. A null handle, which ctypes gives as None, is the default stream's."""

import ctypes
from typing import Any

from emulated_gpu import capture, streams
from emulated_gpu.errors import Status
from emulated_gpu.numba_api.arguments import INT, POINTER, UINT, Function, does, gives, put
from emulated_gpu.numba_api.contexts import context

NON_BLOCKING = 1


def stream_of(handle: int | None) -> streams.Stream:
    return streams.stream_of(handle or 0)


def of_stream(value: Any, kind: Any) -> Function:
    """Make a function of the driver that stores what `value` says of a stream."""
    return (POINTER, POINTER), lambda handle, pointer: put(pointer, value(stream_of(handle)), kind)


def ready(done: bool) -> int:
    return Status.SUCCESS if done else Status.NOT_READY


def call_on_host(stream: int | None, function: int, argument: int | None) -> None:
    call = ctypes.CFUNCTYPE(None, POINTER)(function)
    capture.call_on_host(stream or 0, lambda: call(argument))


FUNCTIONS: dict[str, Function] = {
    "cuStreamCreate": gives(UINT)(lambda flags: streams.create(not flags & NON_BLOCKING)),
    "cuStreamCreateWithPriority": gives(UINT, INT)(
        lambda flags, priority: streams.create(not flags & NON_BLOCKING)
    ),
    "cuStreamDestroy": does(POINTER)(streams.destroy),
    "cuStreamSynchronize": does(POINTER)(lambda stream: capture.synchronize(stream or 0)),
    "cuStreamQuery": ((POINTER,), lambda stream: ready(capture.query(stream or 0))),
    "cuStreamWaitEvent": does(POINTER, POINTER, UINT)(
        lambda stream, event, flags: capture.wait(stream or 0, event)
    ),
    "cuStreamGetCtx": of_stream(lambda stream: context(stream.device), POINTER),
    "cuStreamGetDevice": of_stream(lambda stream: stream.device, INT),
    "cuStreamGetFlags": of_stream(lambda stream: 0 if stream.blocking else NON_BLOCKING, UINT),
    "cuStreamGetPriority": of_stream(lambda stream: 0, INT),
    "cuStreamIsCapturing": ((POINTER, POINTER), lambda s, pointer: put(pointer, capture.status(s or 0), INT)),
    "cuEventCreate": gives(UINT)(lambda flags: streams.create_event()),
    "cuEventDestroy": does(POINTER)(streams.destroy_event),
    "cuEventRecord": does(POINTER, POINTER)(lambda event, stream: capture.record(event, stream or 0)),
    "cuEventSynchronize": does(POINTER)(streams.synchronize_event),
    "cuEventQuery": ((POINTER,), lambda event: ready(streams.query_event(event))),
    "cuEventElapsedTime": gives(POINTER, POINTER, kind=ctypes.c_float)(streams.milliseconds_between),
    "cuLaunchHostFunc": ((POINTER, POINTER, POINTER), call_on_host),
}
