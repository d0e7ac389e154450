"""The fixtures of the emulated GPU's own tests."""

from typing import Any

import pytest
from helpers.backends import MISSING, need
from helpers.required import REQUIRED

from emulated_gpu import turned_on

# the report's head says why
collect_ignore_glob = ["test_*.py"] if "cupy" in MISSING and "cupy" not in REQUIRED else []


@pytest.fixture
def gpu() -> Any:
    """CuPy, on a GPU, real or emulated."""
    need("cupy")
    import cupy

    yield cupy
    cupy.cuda.Device().synchronize()


@pytest.fixture
def emulated(gpu: Any) -> Any:
    """CuPy, on the emulated GPU: for what a real one does not show, or not each time."""
    if not turned_on.ON:
        pytest.skip("the GPU is a real one")
    return gpu
