"""Streams and events. Work is done as late as it may be: what is not waited for is not there yet.

A stream's work is done when someone waits for it, and that of others only where an event
or the default stream orders it before. So two streams that should have been ordered, and
a result that is read too early, show in every run, not in one of a thousand.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from emulated_gpu import devices, settings
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.locks import lock

# a real GPU does not fall behind without bound either; each piece of work keeps its operands' copies
MOST_PENDING = 256
LEGACY, PER_THREAD = (0, 1), 2


class Mark:
    """An event's record: a point in a stream, or in a capture."""

    def __init__(self, stream: "Stream", capture: Any = None) -> None:
        self.stream, self.capture = stream, capture
        self.reached_at: float | None = None


class Wait:
    """A point in a stream that waits for a mark of another."""

    def __init__(self, mark: Mark) -> None:
        self.mark = mark


class Stream:
    """Work in order. A blocking one is ordered with its device's default stream."""

    def __init__(self, handle: int, device: int, blocking: bool) -> None:
        self.handle, self.device, self.blocking = handle, device, blocking
        self.pending: deque[Mark | Wait | Callable[[], None]] = deque()
        self.capture: Any = None

    @property
    def is_default(self) -> bool:
        return self in defaults

    def mark(self) -> Mark:
        mark = Mark(self)
        self.pending.append(mark)
        return mark

    def order_with_default(self) -> None:
        """Let what is added next wait for what the default stream orders before it."""
        if self.is_default:
            for other in ordered_with(self):
                if other.pending:
                    self.pending.append(Wait(other.mark()))
        elif self.blocking and defaults[self.device].pending:
            self.pending.append(Wait(defaults[self.device].mark()))

    def add(self, work: Callable[[], None]) -> None:
        self.order_with_default()
        self.pending.append(work)
        if len(self.pending) > MOST_PENDING:
            self.step()

    def step(self) -> None:
        """Do the first of the pending work."""
        work = self.pending.popleft()
        if isinstance(work, Mark):
            work.reached_at = time.perf_counter()
        elif isinstance(work, Wait):
            if work.mark.reached_at is None:
                work.mark.stream.drain(work.mark)
        else:
            try:
                work()
            except CudaError:
                drop_all()
                raise

    def drain(self, until: Mark | None = None) -> None:
        """Do the pending work, all or up to a mark."""
        with lock:
            while self.pending and not (until and until.reached_at is not None):
                self.step()


_numbers = count(0x10000, 0x10)
streams: dict[Any, Stream] = {}
defaults = [Stream(0, device, True) for device in range(settings.DEVICES)]
events: dict[int, tuple[int, list[Mark]]] = {}
"""By handle: the device of an event, and its latest record, if there is one."""


def fresh_handle() -> int:
    return next(_numbers)


def stream_of(handle: int) -> Stream:
    """Return the stream of a handle, for the current device where it is a default one."""
    device = devices.current()
    if handle in LEGACY:
        return defaults[device]
    if handle == PER_THREAD:
        return streams.setdefault(
            ("of a thread", threading.get_ident(), device), Stream(PER_THREAD, device, True)
        )
    if handle not in streams:
        raise CudaError(Status.INVALID_HANDLE, f"there is no stream {handle:#x}")
    return streams[handle]


def ordered_with(default: Stream) -> list[Stream]:
    return [s for s in streams.values() if s.blocking and s.device == default.device]


def drop_all() -> None:
    """Drop all work after a fault. CUDA would refuse all further calls too, which would help no test."""
    for stream in (*defaults, *streams.values()):
        for work in stream.pending:
            if isinstance(work, Mark):
                work.reached_at = 0.0
        stream.pending.clear()


def synchronize_all(device: int | None = None) -> None:
    for stream in (*defaults, *streams.values()):
        if device in (None, stream.device):
            stream.drain()


def create(blocking: bool) -> int:
    with lock:
        handle = fresh_handle()
        streams[handle] = Stream(handle, devices.current(), blocking)
        return handle


def destroy(handle: int) -> None:
    with lock:
        stream_of(handle).drain()
        del streams[handle]


def create_event() -> int:
    with lock:
        handle = fresh_handle()
        events[handle] = (devices.current(), [])
        return handle


def event_of(handle: int) -> tuple[int, list[Mark]]:
    if handle not in events:
        raise CudaError(Status.INVALID_HANDLE, f"there is no event {handle:#x}")
    return events[handle]


def destroy_event(handle: int) -> None:
    with lock:
        event_of(handle)
        del events[handle]


def record_of(handle: int) -> Mark | None:
    """Return an event's latest record: one of a capture is for that capture only."""
    _, marks = event_of(handle)
    if marks and marks[0].capture is not None:
        raise CudaError(Status.CAPTURED_EVENT, "the event was recorded in a capture")
    return marks[0] if marks else None


def query_event(handle: int) -> bool:
    with lock:
        mark = record_of(handle)
        return mark is None or mark.reached_at is not None


def synchronize_event(handle: int) -> None:
    with lock:
        mark = record_of(handle)
        if mark is not None:
            mark.stream.drain(mark)


def milliseconds_between(first: int, last: int) -> float:
    with lock:
        marks = record_of(first), record_of(last)
        if None in marks:
            raise CudaError(Status.INVALID_HANDLE, "an event was never recorded")
        start, end = (mark.reached_at for mark in marks if mark)
        if start is None or end is None:
            raise CudaError(Status.NOT_READY, "an event is not reached yet")
        return (end - start) * 1000
