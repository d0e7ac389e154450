"""The fixtures of all tests, a backend and a function, and the check of GPU_SIGMOID_REQUIRE."""

from typing import Any

import pytest
from emulated_gpu import turned_on
from helpers.backends import MAKERS, MISSING, Backend, need
from helpers.required import LIBRARIES, REQUIRED

from gpu_sigmoid.registry import FUNCTIONS


def pytest_configure() -> None:
    unknown = REQUIRED - MAKERS.keys() - LIBRARIES
    if unknown:
        raise pytest.UsageError(f"GPU_SIGMOID_REQUIRE has unknown names: {', '.join(sorted(unknown))}")


def pytest_report_header() -> list[str]:
    lines = [f"no emulated GPU: {turned_on.REASON}"] if turned_on.REASON else []
    lines += ["the GPU is an emulated one"] if turned_on.ON else []
    return lines + [
        f"no tests of backend {name}: {reason}" for name, reason in MISSING.items() if name not in REQUIRED
    ]


@pytest.fixture(params=[name for name in MAKERS if name not in MISSING or name in REQUIRED])
def backend(request: pytest.FixtureRequest) -> Backend:
    need(request.param)
    return MAKERS[request.param]()


@pytest.fixture(params=FUNCTIONS.values(), ids=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> Any:
    return request.param
