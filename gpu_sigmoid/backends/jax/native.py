"""The handlers, compiled and registered with XLA for the CPU, or the reason why not."""

import ctypes
import sys
from collections.abc import Callable
from typing import Any

import jax
import llvmlite.binding
import numpy as np
from numba import types

from gpu_sigmoid.backends.cpu import memory
from gpu_sigmoid.backends.cpu.loop import MOST_OPERANDS
from gpu_sigmoid.backends.cpu.native import of_own
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM
from gpu_sigmoid.backends.cpu.undisturbed import undisturbed
from gpu_sigmoid.backends.jax import calls, frame, handler, table
from gpu_sigmoid.backends.once import once
from gpu_sigmoid.environment import get_num_threads, when_threads_are_set

TARGET = "gpu_sigmoid"
"""The name under which programs call the handlers."""

MESSAGES = {
    calls.NOT_COMPILED: b"gpu_sigmoid: the kernel is not compiled in this process\0",
    calls.NOT_LAUNCHED: b"gpu_sigmoid: the kernel could not be launched\0",
}

SETTINGS = np.zeros(32, np.int64)

Handler = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)

# the code that XLA calls must outlive XLA
_callbacks: list[Any] = []


@once
def why_not() -> str | None:
    """Register the handlers for the CPU; return None, or why that is not possible."""
    try:
        SETTINGS[:2] = frame.version_of(frame.read_header())
        for place, text in MESSAGES.items():
            SETTINGS.view(np.uint8)[place : place + len(text)] = list(text)
        allow_threads()
        when_threads_are_set.append(allow_threads)
        llvmlite.binding.add_symbol("gpu_sigmoid_settings", SETTINGS.ctypes.data)
        llvmlite.binding.add_symbol("gpu_sigmoid_host_kernels", table.HOST.ctypes.data)
        SETTINGS[calls.TASK // 8] = native(handler.help_with, types.void)
        register("cpu", native(handler.execute, types.intp), table.ready)
        jax.ffi.register_ffi_target_as_batch_partitionable(TARGET)
    # whatever the error, there is another way to compute
    except Exception as error:
        return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return None


def register(platform: str, execute: int, ready: Callable[[int], Any]) -> None:
    """Register a native handler; XLA calls `ready` for the kernel before the first call."""
    stages = {"instantiate": instantiating(execute, ready), "execute": execute}
    capsules = {name: jax.ffi.pycapsule(place) for name, place in stages.items()}
    jax.ffi.register_ffi_target(TARGET, capsules, platform=platform)


@once
def native(function: Any, result: Any) -> int:
    """Compile a function of a word; return its address.

    It is cached on disk, under a name that identifies its source.
    """
    modules = (calls, frame, memory, table, sys.modules[function.__module__])
    constants = f"{MOST_OPERANDS} {SPLIT_FROM}"
    code = undisturbed(lambda: of_own(function, result(types.intp), modules, constants))
    _callbacks.append(code)
    return code.address or 0


def allow_threads() -> None:
    """Set the number of threads that the handler may use for a call."""
    SETTINGS[calls.THREADS // 8] = get_num_threads()


@once
def instantiating(execute: int, ready: Callable[[int], Any]) -> int:
    """Return the address of the function that XLA calls when it makes or loads a program."""

    def instantiate(call_frame: int) -> int | None:
        if at(call_frame, frame.EXTENSION):
            return Handler(execute)(call_frame)
        try:
            ready(at(at(at(at(call_frame, frame.ATTRIBUTES + frame.ATTRIBUTE_ITEMS)), frame.VALUE)))
        except Exception as error:
            return failure(call_frame, f"gpu_sigmoid: {error}")
        return None

    _callbacks.append(Handler(instantiate))
    return ctypes.cast(_callbacks[-1], ctypes.c_void_p).value or 0


def at(place: int, offset: int = 0) -> int:
    """Return the word at an address."""
    return ctypes.c_int64.from_address(place + offset).value


def failure(call_frame: int, message: str) -> int | None:
    """Return an error for XLA to raise."""
    text = ctypes.create_string_buffer(message.encode())
    arguments = (ctypes.c_int64 * 4)(32, 0, ctypes.addressof(text), calls.FAILED_PRECONDITION)
    create = at(at(call_frame, frame.API), frame.CREATE_ERROR)
    return Handler(create)(ctypes.addressof(arguments))
