"""What tests of threads and of signals have in common."""

import signal
from collections.abc import Callable, Iterator
from typing import Any

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


@pytest.fixture
def alarm() -> Iterator[Callable[[Any], Any]]:
    """Set the handler of SIGALRM, which `signal.setitimer` sends."""
    if not hasattr(signal, "setitimer"):
        pytest.skip("the system has no interval timer")
    before = signal.getsignal(signal.SIGALRM)
    yield lambda handler: signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
