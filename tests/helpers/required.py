"""What GPU_SIGMOID_REQUIRE names: missing, the tests that need it fail; else they are skipped."""

import importlib
import os
from types import ModuleType

import pytest

REQUIRED = {name for name in os.environ.get("GPU_SIGMOID_REQUIRE", "").split(",") if name}
LIBRARIES = {
    *("array_api_strict", "dask", "distributed", "jax", "numba-cuda", "nvrtc", "pandas", "polars"),
    *("pyarrow", "scipy", "torch", "triton", "xarray", "zarr"),
}
"""What can be named, beside the backends."""


def library(name: str) -> ModuleType:
    """Return a module, or skip the tests of the module that asks for it."""
    if name.partition(".")[0] in REQUIRED:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed")
