"""Device memory: addresses that the host cannot touch, and allocations behind them.

An address lies in a range that is reserved without access, so that whoever follows it on
the host faults. The memory itself is SHIFT above, where kernels and copies find it. Each
allocation is followed by a page without access, and freed memory has none.
"""

import ctypes
import mmap

from emulated_gpu import settings
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.locks import lock

BASE = 0x1000_0000_0000
SPAN = SHIFT = 1 << 37
MOST_DEVICES = 8
PAGE = mmap.PAGESIZE
# what fresh memory holds, device or shared: no zeros, lest something count on them
FRESH_BYTE = 0xA5
MOST_FILLED = 1 << 26

_NO_ACCESS, _READ_WRITE = 0, mmap.PROT_READ | mmap.PROT_WRITE
_MAP_FIXED, _MAP_NORESERVE, _MAP_FIXED_NOREPLACE = 0x10, 0x4000, 0x100000
_RESERVED = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE

_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class Memory:
    """One device's."""

    def __init__(self, device: int) -> None:
        self.next = BASE + device * (SPAN // MOST_DEVICES) + PAGE
        self.end = BASE + (device + 1) * (SPAN // MOST_DEVICES)
        self.allocations: dict[int, tuple[int, int, int]] = {}
        """Size, first page and bytes of pages of the allocation at an address."""
        self.spare: dict[int, list[int]] = {}
        self.used = 0

    def allocate(self, size: int) -> int:
        pages = -(-max(size, 1) // PAGE) * PAGE
        if self.used + pages > settings.MEMORY_BYTES or self.next + pages + PAGE > self.end:
            raise CudaError(
                Status.OUT_OF_MEMORY, f"{size} bytes, of {settings.MEMORY_BYTES} {self.used} in use"
            )
        if self.spare.get(pages):
            first = self.spare[pages].pop()
        else:
            first = self.next
            self.next += pages + PAGE
        _libc.mprotect(first + SHIFT, pages, _READ_WRITE)
        if pages <= MOST_FILLED:
            ctypes.memset(first + SHIFT, FRESH_BYTE, pages)
        self.used += pages
        # kernels load and store up to 16 bytes at a time, from where that divides the address
        address = first + pages - -(-size // 16) * 16 if settings.EXACT_ENDS else first
        self.allocations[address] = (size, first, pages)
        return address

    def free(self, address: int) -> None:
        _, first, pages = self.allocations.pop(address)
        _libc.mmap(first + SHIFT, pages, _NO_ACCESS, _RESERVED | _MAP_FIXED, -1, 0)
        self.used -= pages
        self.spare.setdefault(pages, []).append(first)

    def around(self, address: int) -> tuple[int, int] | None:
        """Return where the allocation that an address is in begins, and its size."""
        # other threads of the host may allocate meanwhile
        for start, (size, _, _) in list(self.allocations.items()):
            if start <= address < start + size:
                return start, size
        return None


def reserve() -> None:
    for start in (BASE, BASE + SHIFT):
        if _libc.mmap(start, SPAN, _NO_ACCESS, _RESERVED | _MAP_FIXED_NOREPLACE, -1, 0) != start:
            raise MemoryError(f"{SPAN} bytes of addresses from {start:#x} on cannot be reserved")


reserve()
memories = [Memory(n) for n in range(settings.DEVICES)]
pinned: dict[int, int] = {}
"""The sizes of page-locked host memory, by address."""


def on_device(address: int) -> bool:
    return BASE <= address < BASE + SPAN


def device_of(address: int) -> int:
    return (address - BASE) // (SPAN // MOST_DEVICES)


def on_host(address: int) -> int:
    """Return where the host finds what an address of either stands for."""
    return address + SHIFT if on_device(address) else address


def is_pinned(address: int) -> bool:
    return any(start <= address < start + size for start, size in list(pinned.items()))


def check_allocated(address: int, size: int) -> None:
    """Refuse a range of device memory that is not within one allocation."""
    if on_device(address):
        found = memories[device_of(address)].around(address)
        if not found or address + size > sum(found):
            raise CudaError(Status.INVALID_VALUE, f"{size} bytes from {address:#x} on are not allocated")


def allocate_pinned(size: int) -> int:
    with lock:
        address = _libc.mmap(None, max(size, 1), _READ_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        pinned[address] = size
        return address


def free_pinned(address: int) -> None:
    _libc.munmap(address, max(pinned.pop(address), 1))
