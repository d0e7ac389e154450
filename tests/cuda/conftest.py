"""The fixtures of the tests of CUDA without a GPU."""

import pytest
from helpers.cupy_stand_in import Launches, stand_in
from helpers.required import REQUIRED


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    """What CuPy's backend launches on arrays that stand in for CuPy's."""
    return stand_in(monkeypatch)


@pytest.fixture
def toolchain() -> None:
    """CUDA's compiler and disassembler."""
    from sass import why_not

    if reason := why_not():
        if "nvrtc" in REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
