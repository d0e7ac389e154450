"""Devices and contexts: one context for each device, a stack of them for each host thread."""

import ctypes
import threading

from emulated_gpu import capture, devices, settings
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.numba_api.arguments import ADDRESS, INT, POINTER, SIZE, UINT, Function, does, gives, put

CONTEXTS = 0xC000
_local = threading.local()


def context(device: int) -> int:
    return CONTEXTS + device


def device_of_context(handle: int | None) -> int:
    return (handle or CONTEXTS) - CONTEXTS


def stack() -> list[int]:
    if not hasattr(_local, "contexts"):
        _local.contexts = []
    return _local.contexts


def push(handle: int) -> None:
    devices.set_current(device_of_context(handle))
    stack().append(handle)


def set_current(handle: int | None) -> None:
    if stack():
        stack().pop()
    if handle:
        push(handle)


def pop() -> int:
    popped = stack().pop()
    if stack():
        devices.set_current(device_of_context(stack()[-1]))
    return popped


def device(number: int) -> int:
    if not 0 <= number < settings.DEVICES:
        raise CudaError(Status.INVALID_DEVICE, f"device {number} of {settings.DEVICES}")
    return number


def device_name(pointer: int, length: int, device: int) -> None:
    ctypes.memmove(pointer, devices.NAME.encode() + b"\0", len(devices.NAME) + 1)


def primary_context_state(device: int, flags: int, active: int) -> None:
    put(flags, 0, UINT)
    put(active, 1, INT)


def two_zeros(first: int, second: int) -> None:
    put(first, 0, INT)
    put(second, 0, INT)


FUNCTIONS: dict[str, Function] = {
    "cuInit": does(UINT)(lambda flags: None),
    "cuDeviceGetCount": gives(kind=INT)(lambda: settings.DEVICES),
    "cuDeviceGet": gives(INT, kind=INT)(device),
    "cuDeviceGetName": ((POINTER, INT, INT), device_name),
    "cuDeviceTotalMem": gives(INT, kind=SIZE)(lambda device: settings.MEMORY_BYTES),
    "cuDeviceGetUuid": does(POINTER, INT)(
        lambda pointer, device: ctypes.memmove(pointer, bytes([device] * 16), 16)
    ),
    "cuDeviceGetAttribute": gives(INT, INT, kind=INT)(
        lambda number, device: devices.ATTRIBUTES.get(number, 0)
    ),
    "cuDeviceCanAccessPeer": gives(INT, INT, kind=INT)(lambda device, peer: 0),
    "cuDevicePrimaryCtxRetain": gives(INT)(context),
    "cuDevicePrimaryCtxRelease": does(INT)(lambda device: None),
    "cuDevicePrimaryCtxGetState": ((INT, POINTER, POINTER), primary_context_state),
    "cuDevicePrimaryCtxSetFlags": does(INT, UINT)(lambda device, flags: None),
    "cuCtxGetCurrent": gives()(lambda: stack()[-1] if stack() else 0),
    "cuCtxSetCurrent": does(POINTER)(set_current),
    "cuCtxPushCurrent": does(POINTER)(push),
    "cuCtxPopCurrent": gives()(pop),
    "cuCtxGetDevice": gives(kind=INT)(devices.current),
    "cuCtxGetDevice_v2": gives(POINTER, kind=INT)(device_of_context),
    "cuCtxSynchronize": does()(capture.synchronize_device),
    "cuCtxGetApiVersion": does(POINTER, POINTER)(
        lambda context, pointer: put(pointer, devices.DRIVER_VERSION, UINT)
    ),
    "cuCtxGetId": does(POINTER, POINTER)(
        lambda context, pointer: put(pointer, device_of_context(context), ADDRESS)
    ),
    "cuCtxGetFlags": gives(kind=UINT)(lambda: 0),
    "cuCtxGetStreamPriorityRange": ((POINTER, POINTER), two_zeros),
}
