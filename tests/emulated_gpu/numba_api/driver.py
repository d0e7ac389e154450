"""The driver's functions as C functions, which the stub hands out by name."""

import atexit
import ctypes
import sys
import traceback
from collections.abc import Callable
from typing import Any

from emulated_gpu.errors import CudaError, Status
from emulated_gpu.numba_api import contexts, kernel_functions, memory_functions, stream_functions
from emulated_gpu.numba_api.arguments import INT, POINTER, TEXT, Function
from emulated_gpu.stub import library

MODULES = (contexts, memory_functions, stream_functions, kernel_functions)
_kept: list[Any] = []


def install() -> None:
    """Put the emulated GPU under cuda.bindings, and so under numba-cuda."""
    for module in MODULES:
        for name, function in module.FUNCTIONS.items():
            register(name, function)
    library.emulated_register_missing(kept(ctypes.CFUNCTYPE(POINTER, TEXT)(missing)))
    atexit.register(library.emulated_finish)


def kept(callback: Any) -> Any:
    """Keep a callback for good: the libraries call until the interpreter's very end."""
    _kept.append(callback)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(callback))
    return callback


def register(name: str, function: Function) -> None:
    types, call = function
    callback = kept(ctypes.CFUNCTYPE(INT, *types)(with_status(call)))
    library.emulated_register(name.encode(), ctypes.cast(callback, POINTER))


def with_status(call: Callable[..., int | None]) -> Callable[..., int]:
    """Return a function that gives the status of an exception; C could not take the exception itself."""

    def status(*arguments: Any) -> int:
        try:
            return call(*arguments) or Status.SUCCESS
        except CudaError as error:
            return error.status
        except Exception:
            traceback.print_exc()
            return Status.UNKNOWN

    return status


def missing(name: bytes) -> int:
    """Register a function for a name that has none, which says so when it is called."""

    def refuse() -> int:
        # what is in its tables is not documented, and done without
        if name != b"cuGetExportTable":
            print(f"the emulated GPU has no {name.decode()}", file=sys.stderr, flush=True)
        return Status.NOT_SUPPORTED

    register(name.decode(), ((), refuse))
    return library.emulated_find(name)
