"""The fixtures of the tests of CUDA without a GPU."""

import warnings
from collections.abc import Iterator

import pytest
from helpers.backends import MISSING
from helpers.required import REQUIRED


@pytest.fixture
def gpu() -> None:
    """A GPU, or an emulated one, that CuPy can use."""
    if reason := MISSING.get("cupy"):
        if "cupy" in REQUIRED:
            pytest.fail(f"backend cupy is required, but {reason}")
        pytest.skip(f"no GPU: {reason}")


@pytest.fixture
def no_warnings() -> Iterator[None]:
    """A warning is an error, work that is waited for included."""
    import cupy

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        cupy.cuda.Device().synchronize()


@pytest.fixture
def toolchain() -> None:
    """CUDA's compiler and disassembler."""
    from sass import why_not

    if reason := why_not():
        if "nvrtc" in REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
