"""The streams that device arrays are bound to; Numba leaves ordering them to the caller.

An array that is bound to no stream does not say when it is ready, and is not waited for.
"""

from functools import lru_cache
from typing import Any

from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda


@lru_cache
def launchable(stream: Any) -> Any:
    """Return a stream as a kernel's own launch takes it; 0 is the default stream."""
    from numba.cuda.cudadrv.driver import _to_core_stream

    return _to_core_stream(stream)


def of(method: Any, arrays: list) -> tuple[Any, list]:
    """Return the stream that a call runs on, 0 if the arrays are bound to none, and the other streams.

    Raises
    ------
    RuntimeError
        If one of several streams captures a graph that others are not part of, since they
        cannot wait for each other.
    """
    first: Any = 0
    others: dict[int, Any] = {}
    for array in arrays:
        stream = array.stream
        if stream and stream is not first:
            if first:
                others[handle(stream)] = stream
            else:
                first = stream
    if others:
        others.pop(handle(first), None)
        if len({captures(stream) for stream in (first, *others.values())}) > 1:
            raise RuntimeError(
                f"{method.label}: arrays are bound to several streams, and one of them captures a graph that "
                "the others are not part of: bind all of them to that stream (array.bind(stream))"
            )
    return first, list(others.values())


def handle(stream: Any) -> int:
    return int(stream.__cuda_stream__()[1]) if stream else 0


def wait(stream: Any, other: Any) -> None:
    """Let a stream wait, on the GPU, for the work given to another one so far."""
    event = numba_cuda().event(timing=False)
    event.record(other)
    event.wait(stream)


def captures(stream: Any) -> bool:
    """Return whether the stream captures a graph, which the default stream, 0 or 1, cannot."""
    from numba.cuda.cudadrv.driver import driver

    return handle(stream) > 1 and bool(driver.cuStreamIsCapturing(handle(stream)))
