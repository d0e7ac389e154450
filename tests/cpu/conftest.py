"""What tests of threads have in common."""

from collections.abc import Iterator

import pytest

import gpu_sigmoid as gs
from gpu_sigmoid import environment
from gpu_sigmoid.backends.cpu import threads


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two threads, whose blocks go through Python from SPLIT_FROM on: longer calls would take long."""
    monkeypatch.setattr(threads, "INTERRUPTED_FROM", threads.SPLIT_FROM)
    # the system may have a single one
    monkeypatch.setattr(threads, "usable", lambda: 2)
    asked_for, before = environment._threads, gs.get_num_threads()
    gs.set_num_threads(2)
    yield
    gs.set_num_threads(before)
    # nobody has asked for a number, and the environment's counts again
    environment._threads = asked_for
