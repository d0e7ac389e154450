"""Modules, kernels' attributes, and launches: refused where CUDA would refuse them."""

import ctypes
import math
from dataclasses import dataclass, field
from typing import Any

from emulated_gpu import devices, settings, stub
from emulated_gpu.capture import enqueue, refuse_while_capturing
from emulated_gpu.errors import CudaError, Status
from emulated_gpu.locks import lock
from emulated_gpu.ptx import control
from emulated_gpu.ptx.module import LoadedKernel, load
from emulated_gpu.ptx.types import PtxError
from emulated_gpu.streams import fresh_handle, stream_of, synchronize_all

SHARED_ALIGNMENT = 64
FAULTS = {
    control.TRAPPED: (Status.LAUNCH_FAILED, "a thread trapped"),
    control.MISALIGNED: (Status.MISALIGNED_ADDRESS, "an access is not aligned to its size"),
    control.DIVERGED: (Status.LAUNCH_FAILED, "threads of a block wait at different barriers"),
    stub.OUT_OF_BOUNDS: (Status.ILLEGAL_ADDRESS, "an access is outside of all memory of the device"),
}
MOST_DYNAMIC_SHARED_BYTES = 8


@dataclass
class Function:
    """A kernel on the device that its module was loaded on."""

    kernel: LoadedKernel
    device: int
    dynamic_shared_bytes: int = devices.STATIC_SHARED_BYTES
    """The most it may be launched with."""

    def attribute(self, number: int) -> int:
        capability = 10 * settings.CAPABILITY[0] + settings.CAPABILITY[1]
        kernel = self.kernel
        values = {0: min(kernel.most_threads, devices.MOST_THREADS), 1: kernel.static_shared_bytes}
        values |= {4: 32, 5: capability, 6: capability, MOST_DYNAMIC_SHARED_BYTES: self.dynamic_shared_bytes}
        return values.get(number, 0)

    def set_attribute(self, number: int, value: int) -> None:
        if number != MOST_DYNAMIC_SHARED_BYTES:
            return
        most = settings.OPT_IN_SHARED_BYTES - self.kernel.static_shared_bytes
        if not 0 <= value <= most:
            raise CudaError(
                Status.INVALID_VALUE, f"{value} bytes of shared memory, a block has at most {most}"
            )
        self.dynamic_shared_bytes = value


@dataclass
class Module:
    kernels: dict[str, LoadedKernel]
    device: int
    handles: dict[str, int] = field(default_factory=dict)


modules: dict[int, Module] = {}
functions: dict[int, Function] = {}
_loaded: dict[str, dict[str, LoadedKernel]] = {}


def load_module(image: bytes) -> int:
    with lock:
        refuse_while_capturing("loading a module")
        if image[:4] == b"\x7fELF":
            raise CudaError(Status.INVALID_PTX, "a cubin, where the emulated GPU runs PTX alone")
        text = image.rstrip(b"\0").decode()
        if text not in _loaded:
            try:
                _loaded[text] = load(text)
            except PtxError as error:
                raise CudaError(Status.INVALID_PTX, str(error)) from error
        handle = fresh_handle()
        modules[handle] = Module(_loaded[text], devices.current())
        return handle


def unload_module(handle: int) -> None:
    with lock:
        synchronize_all()
        modules.pop(handle, None)


def function_handle(module: int, name: str) -> int:
    with lock:
        found = modules[module]
        if name not in found.kernels:
            raise CudaError(Status.NOT_FOUND, f"the module has no kernel {name}")
        if name not in found.handles:
            found.handles[name] = fresh_handle()
            functions[found.handles[name]] = Function(found.kernels[name], found.device)
        return found.handles[name]


def function_of(handle: int) -> Function:
    if handle not in functions:
        raise CudaError(Status.INVALID_HANDLE, "there is no such kernel")
    return functions[handle]


def launch(
    handle: int,
    grid: tuple[int, int, int],
    block: tuple[int, int, int],
    dynamic_shared_bytes: int,
    stream_handle: int,
    parameters: Any,
) -> None:
    """Add a kernel to a stream: its parameters, pointed at by `parameters`, are copied now."""
    function, stream = function_of(handle), stream_of(stream_handle)
    kernel, device = function.kernel, devices.current()
    if not function.device == stream.device == device:
        reason = f"a kernel of device {function.device}, a stream of {stream.device}, current is {device}"
        raise CudaError(Status.INVALID_HANDLE, reason)
    check_limits(function, grid, block, dynamic_shared_bytes)
    copies = [
        ctypes.create_string_buffer(ctypes.string_at(parameters[k], p.size), p.size)
        for k, p in enumerate(kernel.parameters)
    ]
    pointers = (ctypes.c_void_p * max(1, len(copies)))(*map(ctypes.addressof, copies))

    def work(held: object = copies) -> None:
        execute(kernel, grid, block, kernel.static_shared_bytes, dynamic_shared_bytes, pointers)

    enqueue(stream, work, f"kernel {kernel.name}")


def check_limits(function: Function, grid: tuple, block: tuple, dynamic_shared_bytes: int) -> None:
    kernel, threads = function.kernel, math.prod(block)
    most_threads = min(kernel.most_threads, devices.MOST_THREADS)
    refused = None
    if min(*grid, *block) < 1 or any(n > most for n, most in zip(grid, devices.MOST_GRID, strict=True)):
        refused = f"a grid of {grid} blocks"
    elif threads > most_threads or block[2] > devices.MOST_BLOCK_DEPTH:
        refused = f"a block of {block} threads, {kernel.name} is for at most {most_threads}"
    elif dynamic_shared_bytes > function.dynamic_shared_bytes:
        refused = (
            f"{dynamic_shared_bytes} bytes of dynamic shared memory, set are {function.dynamic_shared_bytes}"
        )
    if refused:
        raise CudaError(Status.INVALID_VALUE, refused)


def execute(
    kernel: LoadedKernel, grid: tuple, block: tuple, static_bytes: int, dynamic_bytes: int, parameters: Any
) -> None:
    """Run a kernel's blocks, one after the other."""
    # dynamic shared variables begin where 16 bytes divide
    shared_bytes = -(-static_bytes // 16) * 16 + dynamic_bytes
    shared = ctypes.create_string_buffer(shared_bytes + SHARED_ALIGNMENT)
    shared_at = -(-ctypes.addressof(shared) // SHARED_ALIGNMENT) * SHARED_ALIGNMENT
    states = ctypes.create_string_buffer(kernel.state_bytes * math.prod(block) + 8)
    code = stub.run(
        kernel.address,
        ctypes.addressof(parameters),
        *grid,
        *block,
        shared_at,
        shared_bytes,
        ctypes.addressof(states),
    )
    if code:
        fault, reason = FAULTS[code]
        raise CudaError(fault, f"kernel {kernel.name}: {reason}")
