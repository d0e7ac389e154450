"""The current device of a host thread, and what a device says of itself."""

import threading

from emulated_gpu import settings
from emulated_gpu.errors import CudaError, Status

NAME = "emulated GPU"
DRIVER_VERSION = 13000
STATIC_SHARED_BYTES = 48 << 10
MOST_THREADS, MOST_GRID, MOST_BLOCK_DEPTH = 1024, (2**31 - 1, 65535, 65535), 64

_local = threading.local()

# by CUdevice_attribute, whose numbers are cudaDeviceAttr's
ATTRIBUTES = {
    **{1: MOST_THREADS, 2: MOST_THREADS, 3: MOST_THREADS, 4: MOST_BLOCK_DEPTH},
    **dict(zip((5, 6, 7), MOST_GRID, strict=True)),
    **{8: STATIC_SHARED_BYTES, 9: 65536, 10: 32, 11: 2**31 - 1, 12: 65536, 13: 1980000, 14: 512, 15: 1},
    **{16: settings.PROCESSORS, 17: 0, 18: 0, 19: 1, 20: 0, 31: 1, 32: 0, 33: 0, 34: 0, 35: 0},
    # the memory's clock in kHz and its width in bits, of which bench reckons a bandwidth
    **{36: 2619000, 37: 5120, 38: 50 << 20, 39: 2048, 40: 3, 41: 1},
    **{75: settings.CAPABILITY[0], 76: settings.CAPABILITY[1], 77: 1, 78: 1, 79: 1, 80: 1},
    **{81: 228 << 10, 82: 65536, 83: 0, 84: 0, 85: 0, 86: 1, 87: 2, 88: 0, 89: 0, 90: 1, 91: 1, 95: 1},
    **{97: settings.OPT_IN_SHARED_BYTES, 98: 1, 99: 1, 100: 0, 101: 0, 106: 32, 111: 1024, 115: 0, 119: 0},
}


def current() -> int:
    return getattr(_local, "device", 0)


def set_current(device: int) -> None:
    if not 0 <= device < settings.DEVICES:
        raise CudaError(Status.INVALID_DEVICE, f"device {device} of {settings.DEVICES}")
    _local.device = device
