"""The backends the shared suite runs on, as one fixture."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs

REQUIRED = {name for name in os.environ.get("GPU_SIGMOID_REQUIRE", "").split(",") if name}


@dataclass(frozen=True)
class Backend:
    """How arrays get to a backend and back, and the type its results have."""

    name: str
    array_type: type
    to_device: Callable[[np.ndarray], Any]
    to_host: Callable[[Any], np.ndarray]


BACKENDS = {"cpu": Backend("cpu", np.ndarray, np.asarray, np.asarray)}


LIBRARIES = {"numba-cuda"}
"""What tests can be made to require, beside the backends."""


def pytest_configure() -> None:
    unknown = REQUIRED - BACKENDS.keys() - LIBRARIES
    if unknown:
        raise pytest.UsageError(
            f"GPU_SIGMOID_REQUIRE names backends there are not: {', '.join(sorted(unknown))}"
        )


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    return BACKENDS[request.param]


@pytest.fixture(params=gs.FUNCTIONS.values(), ids=gs.FUNCTIONS)
def function(request: pytest.FixtureRequest) -> Any:
    return request.param
