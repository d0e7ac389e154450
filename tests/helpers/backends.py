"""The backends that tests of the fixture `backend` run on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu_sigmoid.environment import why_no_gpu
from helpers.floats import BFLOAT16


@dataclass(frozen=True)
class Backend:
    """How arrays get to a backend and back, and the type its results have.

    bfloat16 goes as its bits: numba-cuda copies no other kind of it.
    """

    name: str
    array_type: type
    copy_to_device: Callable[[np.ndarray], Any]
    copy_to_host: Callable[[Any], np.ndarray]

    def to_device(self, host: np.ndarray) -> Any:
        if host.dtype != BFLOAT16:
            return self.copy_to_device(host)
        return self.copy_to_device(host.reshape(-1).view(np.uint16)).view(host.dtype).reshape(host.shape)

    def to_host(self, array: Any) -> np.ndarray:
        if array.dtype != BFLOAT16:
            return self.copy_to_host(array)
        return self.copy_to_host(array.reshape(-1).view(np.uint16)).view(array.dtype).reshape(array.shape)


def cupy_backend() -> Backend:
    import cupy

    return Backend("cupy", cupy.ndarray, cupy.asarray, cupy.asnumpy)


def numba_cuda_backend() -> Backend:
    from numba import cuda

    array_type = type(cuda.device_array(1))
    return Backend("numba_cuda", array_type, cuda.to_device, lambda array: array.copy_to_host())


MAKERS: dict[str, Callable[[], Backend]] = {
    "cpu": lambda: Backend("cpu", np.ndarray, np.asarray, np.asarray),
    "cupy": cupy_backend,
    "numba_cuda": numba_cuda_backend,
}


def why_not(name: str) -> str | None:
    """Return why a backend cannot be tested here, None where it can."""
    if name == "cpu":
        return None
    if reason := why_no_gpu():
        return reason
    try:
        MAKERS[name]()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


MISSING = {name: reason for name in MAKERS if (reason := why_not(name))}
