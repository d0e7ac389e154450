"""The handlers, compiled and registered with XLA for the CPU; or the reason why they are not."""

import ctypes
import hashlib
from functools import cache
from typing import Any

import jax
import llvmlite.binding
import numpy as np
from numba import types

from gpu_sigmoid.backends.cpu import threads
from gpu_sigmoid.backends.cpu.native import compiled, contents
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.backends.jax import frame, handler, memory, table
from gpu_sigmoid.environment import get_num_threads

TARGET = "gpu_sigmoid"
"""The name under which programs call the handlers."""

MESSAGE = b"gpu_sigmoid: the kernel is not compiled in this process\0"

SETTINGS = np.zeros(16, np.int64)

address = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


@cache
def why_not() -> str | None:
    """Register the handlers; return why that is not possible, None where it was."""
    try:
        SETTINGS[:2] = frame.version_of(frame.read_header())
        register()
    # whatever it is, there is another way to compute
    except Exception as error:
        return f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)
    return None


def register() -> None:
    SETTINGS.view(np.uint8)[handler.MESSAGE :][: len(MESSAGE)] = list(MESSAGE)
    allow_threads()
    llvmlite.binding.add_symbol("gpu_sigmoid_kernels", table.TABLE.ctypes.data)
    llvmlite.binding.add_symbol("gpu_sigmoid_settings", SETTINGS.ctypes.data)
    SETTINGS[handler.TASK // 8] = native(handler.help_with, types.void).address
    stages = {
        "instantiate": ctypes.cast(instantiate, ctypes.c_void_p).value,
        "execute": native(handler.execute, types.intp).address,
    }
    capsules = {name: jax.ffi.pycapsule(place) for name, place in stages.items()}
    jax.ffi.register_ffi_target(TARGET, capsules, platform="cpu")
    jax.ffi.register_ffi_target_as_batch_partitionable(TARGET)


@cache
def native(function: Any, result: Any) -> Any:
    """Return a function of a word, compiled; kept on disk under a name that says what it was made of."""
    sources = b"".join(contents(module) for module in (frame, handler, memory, table))
    digest = hashlib.sha256(sources + str(threads.SPLIT_FROM).encode()).hexdigest()[:16]
    function.__qualname__ = f"{function.__name__}_{digest}"
    return undisturbed(lambda: compiled(function, result(types.intp), cache=True))


def allow_threads() -> None:
    """Tell the handler how many threads a call may use."""
    SETTINGS[handler.THREADS // 8] = get_num_threads()


@address
def instantiate(call_frame: int) -> int | None:
    """Compile what a program calls, when XLA makes it, or loads what another process made."""
    execute = address(native(handler.execute, types.intp).address)
    if at(call_frame, frame.EXTENSION):
        return execute(call_frame)
    key = at(at(at(at(call_frame, frame.ATTRIBUTES + frame.ATTRIBUTE_ITEMS)), frame.VALUE))
    try:
        table.ready(key)
    except Exception as error:
        return failure(call_frame, f"gpu_sigmoid: {error}")
    return None


def at(place: int, offset: int = 0) -> int:
    """Return the word at an address."""
    return ctypes.c_int64.from_address(place + offset).value


def failure(call_frame: int, message: str) -> int | None:
    """Return an error for XLA to raise."""
    text = ctypes.create_string_buffer(message.encode())
    arguments = (ctypes.c_int64 * 4)(32, 0, ctypes.addressof(text), handler.FAILED_PRECONDITION)
    create = at(at(call_frame, frame.API), frame.CREATE_ERROR)
    return address(create)(ctypes.addressof(arguments))
