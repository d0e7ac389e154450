"""Allocations, copies and what a pointer points at."""

import ctypes

from emulated_gpu import copies, devices, memory, settings
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.numba_api.arguments import ADDRESS, INT, POINTER, SIZE, UINT, Function, does, gives, put
from emulated_gpu.numba_api.contexts import context

HOST_MEMORY, DEVICE_MEMORY = 1, 2


def memory_info(free: int, total: int) -> None:
    put(free, settings.MEMORY_BYTES - memory.memories[devices.current()].used, SIZE)
    put(total, settings.MEMORY_BYTES, SIZE)


def copy(target: int | None, source: int | None, size: int) -> None:
    copies.copy(target or 0, source or 0, size, 0, True)


def copy_async(target: int | None, source: int | None, size: int, stream: int | None) -> None:
    copies.copy(target or 0, source or 0, size, stream or 0, False)


def address_range(base: int, size: int, address: int) -> None:
    found = memory.memories[memory.device_of(address)].around(address) if memory.on_device(address) else None
    if not found:
        raise CudaError(Status.INVALID_VALUE, f"{address:#x} is not allocated")
    put(base, found[0])
    put(size, found[1], SIZE)


def pointer_attribute(pointer: int, attribute: int, address: int) -> None:
    on_device = memory.on_device(address)
    if not on_device and (attribute == 1 or not memory.is_pinned(address)):
        raise CudaError(Status.INVALID_VALUE, f"{address:#x} is memory that CUDA does not know")
    device = memory.device_of(address) if on_device else 0
    values = {
        1: (context(device), ADDRESS),
        2: (DEVICE_MEMORY if on_device else HOST_MEMORY, UINT),
        3: (address, ADDRESS),
        4: (address, ADDRESS),
        8: (0, UINT),
        9: (device, INT),
    }
    if attribute not in values:
        raise CudaError(Status.NOT_SUPPORTED, f"attribute {attribute} of a pointer is not emulated")
    put(pointer, *values[attribute])


def pointer_attributes(count: int, attributes: int, pointers: int, address: int) -> None:
    numbers = ctypes.cast(attributes, ctypes.POINTER(INT))
    places = ctypes.cast(pointers, ctypes.POINTER(POINTER))
    for k in range(count):
        pointer_attribute(places[k], numbers[k], address)


FUNCTIONS: dict[str, Function] = {
    "cuMemGetInfo": ((POINTER, POINTER), memory_info),
    "cuMemAlloc": gives(SIZE)(copies.allocate),
    "cuMemFree": does(ADDRESS)(copies.free),
    "cuMemHostAlloc": gives(SIZE, UINT)(lambda size, flags: memory.allocate_pinned(size)),
    "cuMemFreeHost": does(POINTER)(copies.free_pinned),
    "cuMemcpyHtoD": ((ADDRESS, POINTER, SIZE), copy),
    "cuMemcpyDtoH": ((POINTER, ADDRESS, SIZE), copy),
    "cuMemcpyDtoD": ((ADDRESS, ADDRESS, SIZE), copy),
    "cuMemcpyHtoDAsync": ((ADDRESS, POINTER, SIZE, POINTER), copy_async),
    "cuMemcpyDtoHAsync": ((POINTER, ADDRESS, SIZE, POINTER), copy_async),
    "cuMemcpyDtoDAsync": ((ADDRESS, ADDRESS, SIZE, POINTER), copy_async),
    "cuMemsetD8": does(ADDRESS, ctypes.c_ubyte, SIZE)(
        lambda address, value, size: copies.fill(address, value, size, 0)
    ),
    "cuMemsetD8Async": does(ADDRESS, ctypes.c_ubyte, SIZE, POINTER)(
        lambda address, value, size, stream: copies.fill(address, value, size, stream or 0)
    ),
    "cuMemGetAddressRange": ((POINTER, POINTER, ADDRESS), address_range),
    "cuPointerGetAttribute": ((POINTER, INT, ADDRESS), pointer_attribute),
    "cuPointerGetAttributes": ((UINT, POINTER, POINTER, ADDRESS), pointer_attributes),
}
