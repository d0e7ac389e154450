"""The backends that tests of the fixture `backend` run on."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from emulated_gpu import turned_on

from gpu_sigmoid.backends.placed import Placed
from gpu_sigmoid.device_check.libraries import numba_device
from gpu_sigmoid.environment import why_no_gpu
from helpers.required import missing


@dataclass(frozen=True)
class Backend:
    """A backend's type of arrays, and functions that copy arrays to and from its memory in any layout.

    `upload` copies bytes to the backend. `array_at(memory, offset, shape, strides, dtype)` returns an array
    in a part of them. `read(array, address, count)` copies bytes of an array's memory to the host.
    """

    name: str
    array_type: type
    to_device: Callable[[np.ndarray], Any]
    upload: Callable[[np.ndarray], Any]
    array_at: Callable[[Any, int, tuple[int, ...], tuple[int, ...], np.dtype], Any]
    placed: Callable[[Any], Placed]
    read: Callable[[Any, int, int], np.ndarray]

    def lay(self, *views: np.ndarray) -> tuple:
        """Return arrays on the backend with the layout of these views of one NumPy array.

        They are made from addresses and strides, since libraries lack some of NumPy's views, or copy.
        """
        memory = owner(views[0])
        assert all(owner(view) is memory for view in views)
        raw = np.ndarray(memory.nbytes, np.uint8, memory)
        uploaded = self.upload(raw)
        return tuple(
            self.array_at(uploaded, address(view) - address(memory), view.shape, view.strides, view.dtype)
            for view in views
        )

    def to_host(self, array: Any) -> np.ndarray:
        """Return a copy in the host's memory, with the same strides."""
        place = self.placed(array)
        low, high = place.span
        # an empty array may have no address
        raw = self.read(array, low, high - low) if high > low else np.empty(0, np.uint8)
        return np.ndarray(place.shape, place.dtype, raw, place.address - low, place.strides)


def owner(view: np.ndarray) -> np.ndarray:
    """Return the array that owns a view's memory."""
    while isinstance(view.base, np.ndarray):
        view = view.base
    return view


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def cpu_backend() -> Backend:
    def placed(array: Any) -> Placed:
        array = np.asarray(array)
        return Placed(address(array), array.shape, array.strides, array.dtype)

    return Backend(
        "cpu",
        np.ndarray,
        np.asarray,
        upload=np.copy,
        array_at=lambda memory, offset, shape, strides, dtype: np.ndarray(
            shape, dtype, memory, offset, strides
        ),
        placed=placed,
        read=lambda array, low, count: np.frombuffer(ctypes.string_at(low, count), np.uint8).copy(),
    )


def cupy_backend() -> Backend:
    import cupy

    def read(array: Any, low: int, count: int) -> np.ndarray:
        memory = cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(low, count, array), 0)
        return cupy.asnumpy(cupy.ndarray(count, np.uint8, memory))

    return Backend(
        "cupy",
        cupy.ndarray,
        cupy.asarray,
        upload=cupy.asarray,
        array_at=lambda memory, offset, shape, strides, dtype: cupy.ndarray(
            shape, dtype, memory.data + offset, strides
        ),
        placed=lambda a: Placed(a.data.ptr, a.shape, a.strides, a.dtype),
        read=read,
    )


def numba_cuda_backend() -> Backend:
    from numba import cuda
    from numba.cuda.cudadrv.driver import MemoryPointer, binding

    array_type = type(cuda.device_array(1))

    def pointer(memory: Any, at: int, count: int) -> Any:
        return MemoryPointer(memory.gpu_data.context, binding.CUdeviceptr(at), count, owner=memory)

    def array_at(memory: Any, offset: int, shape: tuple, strides: tuple, dtype: np.dtype) -> Any:
        # an empty array has no memory
        at = (memory.device_ctypes_pointer.value or 0) + offset
        return array_type(shape, strides, dtype, gpu_data=pointer(memory, at, memory.size - offset))

    def read(array: Any, low: int, count: int) -> np.ndarray:
        cuda.synchronize()
        return array_type(count, 1, np.uint8, gpu_data=pointer(array, low, count)).copy_to_host()

    return Backend(
        "numba_cuda",
        array_type,
        numba_device(cuda).xp.asarray,
        upload=cuda.to_device,
        array_at=array_at,
        placed=lambda a: Placed(a.device_ctypes_pointer.value or 0, a.shape, a.strides, a.dtype),
        read=read,
    )


MAKERS: dict[str, Callable[[], Backend]] = {
    "cpu": cpu_backend,
    "cupy": cupy_backend,
    "numba_cuda": numba_cuda_backend,
}


def why_not(name: str) -> str | None:
    """Return why a backend cannot be tested here, or None."""
    if name == "cpu":
        return None
    if reason := turned_on.REASON or why_no_gpu():
        return reason
    try:
        MAKERS[name]()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


MISSING = {name: reason for name in MAKERS if (reason := why_not(name))}


def need(*names: str) -> None:
    """Skip the calling test or module if one of the backends is missing, or fail if it is required."""
    for name in names:
        if reason := MISSING.get(name):
            missing(name, reason)
