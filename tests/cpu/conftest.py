"""What tests of threads have in common."""

from collections.abc import Iterator

import pytest

import gpu_sigmoid as gs


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = gs.get_num_threads()
    gs.set_num_threads(2)
    yield
    gs.set_num_threads(before)
