"""The backends the shared suite runs on, as one fixture."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs
from gpu_sigmoid.environment import why_no_gpu

REQUIRED = {name for name in os.environ.get("GPU_SIGMOID_REQUIRE", "").split(",") if name}


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


LIBRARIES = {
    *("array_api_strict", "dask", "distributed", "jax", "numba-cuda", "nvrtc", "pandas", "pyarrow", "scipy"),
    *("torch", "triton", "xarray", "zarr"),
}
"""What tests can be made to require, beside the backends."""


def pytest_configure() -> None:
    unknown = REQUIRED - MAKERS.keys() - LIBRARIES
    if unknown:
        raise pytest.UsageError(
            f"GPU_SIGMOID_REQUIRE names backends there are not: {', '.join(sorted(unknown))}"
        )


def pytest_report_header() -> list[str]:
    return [
        f"no tests of backend {name}: {reason}" for name, reason in MISSING.items() if name not in REQUIRED
    ]


@pytest.fixture(params=[name for name in MAKERS if name not in MISSING or name in REQUIRED])
def backend(request: pytest.FixtureRequest) -> Backend:
    if reason := MISSING.get(request.param):
        pytest.fail(f"backend {request.param} is required, but {reason}")
    return MAKERS[request.param]()


@pytest.fixture(params=gs.FUNCTIONS.values(), ids=gs.FUNCTIONS)
def function(request: pytest.FixtureRequest) -> Any:
    return request.param
