"""The names in GPU_SIGMOID_REQUIRE: tests fail without these, and are skipped without anything else."""

import importlib
import os
from types import ModuleType
from typing import NoReturn

import pytest

REQUIRED = {name for name in os.environ.get("GPU_SIGMOID_REQUIRE", "").split(",") if name}
LIBRARIES = {
    *("array_api_strict", "dask", "distributed", "jax", "numba-cuda", "nvrtc", "pandas", "polars"),
    *("pyarrow", "scipy", "torch", "triton", "xarray", "zarr"),
}
"""The names that are accepted, beside the backends'."""


def library(name: str) -> ModuleType:
    """Return a library's module, or skip the calling module if the library is missing and not required."""
    if name.partition(".")[0] in REQUIRED:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed")


def missing(name: str, reason: str) -> NoReturn:
    """Skip the calling test or module for want of a library or backend, or fail if it is required."""
    if name in REQUIRED:
        pytest.fail(f"{name} is required, but {reason}", pytrace=False)
    pytest.skip(reason, allow_module_level=True)
