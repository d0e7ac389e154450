"""The fixtures of CUDA's tests: a GPU, CUDA's compiler, and warnings as errors."""

import warnings
from collections.abc import Iterator

import pytest
from helpers.backends import need
from helpers.required import missing


@pytest.fixture
def gpu() -> None:
    """A GPU, or an emulated one, that CuPy can use."""
    need("cupy")


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
        missing("nvrtc", reason)
