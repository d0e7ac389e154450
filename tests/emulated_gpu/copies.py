"""Allocations that are waited for, copies and fills."""

import ctypes

from emulated_gpu import memory
from emulated_gpu.capture import enqueue, refuse_while_capturing
from emulated_gpu.devices import current
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.locks import lock
from emulated_gpu.streams import stream_of, synchronize_all

# of pageable memory, a larger copy is waited for, as CUDA may do with any
MOST_STAGED = 1 << 26


def allocate(size: int) -> int:
    with lock:
        if not size:
            return 0
        refuse_while_capturing("an allocation")
        return memory.memories[current()].allocate(size)


def free(address: int) -> None:
    """Free memory once all work is done, as CUDA does."""
    with lock:
        if not address:
            return
        refuse_while_capturing("freeing memory")
        owner = memory.memories[memory.device_of(address)] if memory.on_device(address) else None
        if owner is None or address not in owner.allocations:
            raise CudaError(Status.INVALID_VALUE, f"{address:#x} was not allocated, or was freed before")
        synchronize_all()
        owner.free(address)


def free_pinned(address: int) -> None:
    with lock:
        synchronize_all()
        memory.free_pinned(address)


def copy(target: int, source: int, size: int, handle: int, waits: bool) -> None:
    """Copy between device and host.

    Pageable memory of the host is read at once and, where it is written, waited for;
    neither can be captured.
    """
    if not size:
        return
    memory.check_allocated(target, size)
    memory.check_allocated(source, size)
    stream = stream_of(handle)
    pageable = [not (memory.on_device(a) or memory.is_pinned(a)) for a in (target, source)]
    if stream.capture is not None and (waits or any(pageable)):
        reason = "a copy that the host waits for" if waits else "a copy of pageable memory"
        stream.capture.refuse(Status.STREAM_CAPTURE_UNSUPPORTED, f"{reason} on a stream that captures")
    held, start = None, memory.on_host(source)
    staged = pageable[1] and not waits and size <= MOST_STAGED
    if staged:
        held = ctypes.create_string_buffer(ctypes.string_at(source, size), size)
        start = ctypes.addressof(held)

    def work(held: object = held) -> None:
        ctypes.memmove(memory.on_host(target), start, size)

    enqueue(stream, work, f"a copy of {size} bytes")
    if waits or pageable[0] or (pageable[1] and not staged):
        stream.drain()


def fill(target: int, value: int, size: int, handle: int) -> None:
    """Set bytes of device memory."""

    def work() -> None:
        ctypes.memset(memory.on_host(target), value & 0xFF, size)

    if size:
        memory.check_allocated(target, size)
        enqueue(stream_of(handle), work, f"a fill of {size} bytes")
