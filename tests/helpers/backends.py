"""The backends that tests of the fixture `backend` run on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu_sigmoid.device_check.libraries import numba_device
from gpu_sigmoid.environment import why_no_gpu


@dataclass(frozen=True)
class Backend:
    """How arrays get to a backend and back, and the type its results have."""

    name: str
    array_type: type
    to_device: Callable[[np.ndarray], Any]
    to_host: Callable[[Any], np.ndarray]


def cupy_backend() -> Backend:
    import cupy

    return Backend("cupy", cupy.ndarray, cupy.asarray, cupy.asnumpy)


def numba_cuda_backend() -> Backend:
    from numba import cuda

    device = numba_device(cuda)
    return Backend("numba_cuda", type(cuda.device_array(1)), device.xp.asarray, device.to_host)


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
