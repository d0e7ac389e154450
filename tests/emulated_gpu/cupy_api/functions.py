"""What CuPy calls of CUDA's runtime and driver, by name. What is not here says so when it is called."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emulated_gpu import capture, copies, devices, launch, memory, settings, streams
from emulated_gpu.errors import CudaError, Status

NON_BLOCKING = 1
HOST_MEMORY, DEVICE_MEMORY = 1, 2
CONTEXTS = 0xC0


def nothing(*arguments: Any) -> None:
    pass


def refuse_peers(*arguments: Any) -> None:
    raise CudaError(Status.PEER_ACCESS_UNSUPPORTED, "kernels reach their own device's memory alone")


def attribute(number: int, device: int) -> int:
    if number not in devices.ATTRIBUTES:
        raise CudaError(Status.INVALID_VALUE, f"attribute {number} is not emulated")
    return devices.ATTRIBUTES[number]


def properties(device: int) -> dict[str, Any]:
    names = {
        **{"sharedMemPerBlock": 8, "regsPerBlock": 12, "warpSize": 10, "maxThreadsPerBlock": 1},
        **{"clockRate": 13, "totalConstMem": 9, "major": 75, "minor": 76, "multiProcessorCount": 16},
        **{"memoryClockRate": 36, "memoryBusWidth": 37, "l2CacheSize": 38, "managedMemory": 83},
        **{"sharedMemPerMultiprocessor": 81, "sharedMemPerBlockOptin": 97, "maxThreadsPerMultiProcessor": 39},
    }
    found: dict[str, Any] = {name: devices.ATTRIBUTES[number] for name, number in names.items()}
    block = (devices.MOST_THREADS, devices.MOST_THREADS, devices.MOST_BLOCK_DEPTH)
    found |= {"name": devices.NAME.encode(), "totalGlobalMem": settings.MEMORY_BYTES, "maxThreadsDim": block}
    found |= {"maxGridSize": devices.MOST_GRID, "pciBusID": device, "pciDeviceID": 0, "pciDomainID": 0}
    return found | {"uuid": bytes(16), "concurrentManagedAccess": 0}


def pointer_attributes(address: int) -> Any:
    from cupy_backends.cuda.api.runtime import PointerAttributes

    if memory.on_device(address):
        return PointerAttributes(memory.device_of(address), address, 0, DEVICE_MEMORY)
    if memory.is_pinned(address):
        return PointerAttributes(0, address, address, HOST_MEMORY)
    return PointerAttributes(-2, 0, address, 0)


def memory_type(address: int) -> int:
    return DEVICE_MEMORY if memory.on_device(address) else HOST_MEMORY if memory.is_pinned(address) else 0


def copy_rows(
    target: int,
    target_pitch: int,
    source: int,
    source_pitch: int,
    width: int,
    height: int,
    kind: int,
    stream: int = 0,
) -> None:
    for row in range(height):
        copies.copy(target + row * target_pitch, source + row * source_pitch, width, stream, waits=False)
    if not stream:
        capture.synchronize(stream)


def begin_capture(stream: int, given: int = 0) -> None:
    """`given` is the mode, or from C the address of a count of arguments and, where it is 1, the mode."""
    if given > capture.RELAXED:
        count, mode = ctypes.cast(given, ctypes.POINTER(ctypes.c_int))[:2]
        given = mode if count else 0
    elif not given:
        given = capture.RELAXED
    capture.begin(stream, given)


def ready(done: bool) -> int:
    return Status.SUCCESS if done else Status.NOT_READY


def launch_kernel(function: int, *arguments: int) -> None:
    *sizes, shared_bytes, stream, parameters, _ = arguments
    pointers = ctypes.cast(parameters, ctypes.POINTER(ctypes.c_void_p))
    launch.launch(function, tuple(sizes[:3]), tuple(sizes[3:]), shared_bytes, stream, pointers)


RUNTIME: dict[str, Callable[..., Any]] = {
    "_ensure_context": nothing,
    "driverGetVersion": lambda: devices.DRIVER_VERSION,
    "runtimeGetVersion": lambda: devices.DRIVER_VERSION,
    "_getCUDAMajorVersion": lambda: devices.DRIVER_VERSION // 1000,
    # devices
    "getDevice": devices.current,
    "getDeviceCount": lambda: settings.DEVICES,
    "setDevice": devices.set_current,
    "deviceSynchronize": capture.synchronize_device,
    "deviceCanAccessPeer": lambda device, peer: 0,
    "deviceEnablePeerAccess": refuse_peers,
    "_deviceEnsurePeerAccess": refuse_peers,
    "deviceGetAttribute": attribute,
    "deviceGetPCIBusId": lambda device: f"0000:{device:02x}:00.0",
    "getDeviceProperties": properties,
    # memory
    "malloc": copies.allocate,
    "mallocAsync": lambda size, stream: copies.allocate(size),
    "free": copies.free,
    "freeAsync": lambda address, stream: copies.free(address),
    "hostAlloc": lambda size, flags: memory.allocate_pinned(size),
    "freeHost": copies.free_pinned,
    "memGetInfo": lambda: (
        settings.MEMORY_BYTES - memory.memories[devices.current()].used,
        settings.MEMORY_BYTES,
    ),
    "memcpy": lambda target, source, size, kind: copies.copy(target, source, size, 0, True),
    "memcpyAsync": lambda target, source, size, kind, stream: copies.copy(
        target, source, size, stream, False
    ),
    "memcpyPeer": lambda target, _, source, __, size: copies.copy(target, source, size, 0, True),
    "memcpyPeerAsync": lambda target, _, source, __, size, stream: copies.copy(
        target, source, size, stream, False
    ),
    "memcpy2D": copy_rows,
    "memcpy2DAsync": copy_rows,
    "memset": lambda address, value, size: copies.fill(address, value, size, 0),
    "memsetAsync": copies.fill,
    "pointerGetMemoryType": memory_type,
    "pointerGetAttributes": pointer_attributes,
    # streams and events
    "streamCreate": lambda: streams.create(True),
    "streamCreateWithFlags": lambda flags: streams.create(not flags & NON_BLOCKING),
    "streamCreateWithPriority": lambda flags, priority: streams.create(not flags & NON_BLOCKING),
    "streamGetFlags": lambda stream: 0 if streams.stream_of(stream).blocking else NON_BLOCKING,
    "streamGetPriority": lambda stream: 0,
    "streamDestroy": streams.destroy,
    "streamSynchronize": capture.synchronize,
    "streamQuery": lambda stream: ready(capture.query(stream)),
    "streamWaitEvent": lambda stream, event, *flags: capture.wait(stream, event),
    "launchHostFunc": lambda stream, function, argument: capture.call_on_host(
        stream, lambda: function(argument)
    ),
    "_launchHostFuncUnmanaged": lambda stream, pair: capture.call_on_host(stream, lambda: pair[0](pair[1])),
    "eventCreate": streams.create_event,
    "eventCreateWithFlags": lambda flags: streams.create_event(),
    "eventDestroy": streams.destroy_event,
    "eventElapsedTime": streams.milliseconds_between,
    "eventQuery": lambda event: ready(streams.query_event(event)),
    "eventRecord": capture.record,
    "eventSynchronize": streams.synchronize_event,
    # graphs
    "streamBeginCapture": begin_capture,
    "streamEndCapture": capture.end,
    "streamIsCapturing": lambda stream: int(capture.status(stream) == capture.CAPTURING),
    "graphInstantiate": capture.instantiate,
    "graphLaunch": capture.launch_graph,
    "graphUpload": nothing,
    "graphDestroy": lambda graph: capture.graphs.pop(graph, None),
    "graphExecDestroy": lambda executable: capture.executables.pop(executable, None),
}

DRIVER: dict[str, Callable[..., Any]] = {
    "get_build_version": lambda: devices.DRIVER_VERSION,
    "devicePrimaryCtxRelease": nothing,
    "ctxGetCurrent": lambda: CONTEXTS + devices.current(),
    "ctxSetCurrent": lambda context: devices.set_current(context - CONTEXTS),
    "ctxGetDevice": devices.current,
    "streamGetCtx": lambda stream: CONTEXTS + streams.stream_of(stream).device,
    "moduleLoad": lambda path: launch.load_module(Path(path).read_bytes()),
    "moduleLoadData": launch.load_module,
    "moduleUnload": launch.unload_module,
    "moduleGetFunction": launch.function_handle,
    "funcGetAttribute": lambda number, function: launch.function_of(function).attribute(number),
    "funcSetAttribute": lambda function, number, value: launch.function_of(function).set_attribute(
        number, value
    ),
    "launchKernel": launch_kernel,
    "occupancyMaxActiveBlocksPerMultiprocessor": lambda function, threads, shared: max(
        1, devices.ATTRIBUTES[39] // threads
    ),
    "occupancyMaxPotentialBlockSize": lambda function, shared, limit: (
        2 * settings.PROCESSORS,
        devices.MOST_THREADS,
    ),
}
