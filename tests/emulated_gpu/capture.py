"""Work added to a stream, or to the graph that it captures, and what CUDA refuses while one does."""

from collections.abc import Callable

from emulated_gpu import devices
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.locks import lock
from emulated_gpu.streams import (
    Mark,
    Stream,
    Wait,
    event_of,
    fresh_handle,
    ordered_with,
    stream_of,
    streams,
    synchronize_all,
)

GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2
NOT_CAPTURING, CAPTURING, INVALIDATED = 0, 1, 2

graphs: dict[int, list[Callable[[], None]]] = {}
executables: dict[int, list[Callable[[], None]]] = {}


class Capture:
    """A graph in the making: of the stream that began it and those that its events made join."""

    def __init__(self, origin: Stream, mode: int) -> None:
        self.origin, self.mode = origin, mode
        self.nodes: list[Callable[[], None]] = []
        self.members, self.rejoined = {origin}, {origin}
        self.invalidated_by: str | None = None

    def refuse(self, status: Status, reason: str) -> None:
        self.invalidated_by = reason
        raise CudaError(status, reason)


def capturing() -> list[Stream]:
    return [stream for stream in streams.values() if stream.capture is not None]


def refuse_while_capturing(what: str) -> None:
    """Refuse what could wait for other work, such as an allocation, unless captures are relaxed."""
    for stream in capturing():
        if stream.capture.mode != RELAXED:
            stream.capture.refuse(Status.STREAM_CAPTURE_UNSUPPORTED, f"{what} while a stream captures")


def refuse_in_capture(stream: Stream, what: str) -> None:
    """Refuse what a captured stream cannot do, nor its default stream, which would wait for it."""
    if stream.capture is not None:
        stream.capture.refuse(Status.STREAM_CAPTURE_UNSUPPORTED, f"{what} of a stream that captures")
    refuse_on_default(stream, what)


def refuse_on_default(stream: Stream, what: str) -> None:
    for other in ordered_with(stream) if stream.is_default else ():
        if other.capture is not None:
            reason = f"{what} on the default stream, which would wait for one that captures"
            other.capture.refuse(Status.STREAM_CAPTURE_IMPLICIT, reason)


def enqueue(stream: Stream, work: Callable[[], None], what: str) -> None:
    with lock:
        if stream.capture is not None:
            stream.capture.nodes.append(work)
        else:
            refuse_on_default(stream, what)
            stream.add(work)


def call_on_host(handle: int, function: Callable[[], None]) -> None:
    enqueue(stream_of(handle), function, "a call on the host")


def begin(handle: int, mode: int) -> None:
    with lock:
        stream = stream_of(handle)
        if stream.is_default:
            raise CudaError(Status.STREAM_CAPTURE_UNSUPPORTED, "the default stream cannot be captured")
        if stream.capture is not None:
            raise CudaError(Status.INVALID_VALUE, "the stream captures already")
        stream.capture = Capture(stream, mode)


def end(handle: int) -> int:
    """End a capture and return its graph."""
    with lock:
        stream = stream_of(handle)
        capture = stream.capture
        if capture is None:
            raise CudaError(Status.INVALID_VALUE, "the stream does not capture")
        if capture.origin is not stream:
            raise CudaError(Status.STREAM_CAPTURE_UNMATCHED, "another stream began the capture")
        for member in capture.members:
            member.capture = None
        if capture.invalidated_by:
            raise CudaError(Status.STREAM_CAPTURE_INVALIDATED, capture.invalidated_by)
        if capture.members - capture.rejoined:
            raise CudaError(Status.STREAM_CAPTURE_UNJOINED, "a stream joined and was not waited for")
        graph = fresh_handle()
        graphs[graph] = capture.nodes
        return graph


def status(handle: int) -> int:
    with lock:
        stream = stream_of(handle)
        refuse_on_default(stream, "a question")
        if stream.capture is None:
            return NOT_CAPTURING
        return INVALIDATED if stream.capture.invalidated_by else CAPTURING


def instantiate(graph: int) -> int:
    with lock:
        executable = fresh_handle()
        executables[executable] = list(graphs[graph])
        return executable


def launch_graph(executable: int, handle: int) -> None:
    def run(nodes: list[Callable[[], None]] = executables[executable]) -> None:
        for node in nodes:
            node()

    enqueue(stream_of(handle), run, "a graph")


def record(event: int, handle: int) -> None:
    with lock:
        stream = stream_of(handle)
        device, marks = event_of(event)
        if device != stream.device:
            raise CudaError(
                Status.INVALID_HANDLE, f"an event of device {device} on a stream of {stream.device}"
            )
        if stream.capture is not None:
            marks[:] = [Mark(stream, stream.capture)]
            return
        refuse_on_default(stream, "an event's record")
        stream.order_with_default()
        marks[:] = [stream.mark()]


def wait(handle: int, event: int) -> None:
    """Let a stream wait for an event; of a capture's event, let it join that capture."""
    with lock:
        stream = stream_of(handle)
        _, marks = event_of(event)
        if not marks:
            return
        (mark,) = marks
        if mark.capture is not None:
            join(stream, mark)
        elif stream.capture is not None:
            reason = "a stream that captures waits for what is not captured"
            stream.capture.refuse(Status.STREAM_CAPTURE_ISOLATION, reason)
        elif mark.reached_at is None:
            stream.pending.append(Wait(mark))


def join(stream: Stream, mark: Mark) -> None:
    capture = mark.capture
    if stream.capture is not None and stream.capture is not capture:
        stream.capture.refuse(Status.STREAM_CAPTURE_MERGE, "two captures cannot become one")
    if capture not in [other.capture for other in capturing()]:
        raise CudaError(Status.CAPTURED_EVENT, "the event was recorded in a capture that has ended")
    if stream.is_default:
        raise CudaError(Status.STREAM_CAPTURE_IMPLICIT, "the default stream cannot join a capture")
    if stream.capture is None:
        stream.capture = capture
        capture.members.add(stream)
    else:
        capture.rejoined.add(mark.stream)


def synchronize(handle: int) -> None:
    with lock:
        stream = stream_of(handle)
        refuse_in_capture(stream, "a synchronisation")
        for other in ordered_with(stream) if stream.is_default else ():
            other.drain()
        stream.drain()


def query(handle: int) -> bool:
    with lock:
        stream = stream_of(handle)
        refuse_in_capture(stream, "a query")
        return not stream.pending


def synchronize_device() -> None:
    with lock:
        for stream in capturing():
            if stream.device == devices.current():
                stream.capture.refuse(Status.STREAM_CAPTURE_UNSUPPORTED, "a synchronisation of the device")
        refuse_while_capturing("a synchronisation of the device")
        synchronize_all(devices.current())
