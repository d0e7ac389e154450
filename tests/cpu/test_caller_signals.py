"""Exceptions of signal handlers during short calls: they arrive, and nothing is computed twice."""

import signal
from types import FrameType

import numpy as np
import pytest

import gpu_sigmoid as gs

# below the size from which calls are split, and long enough to be interrupted
X = np.linspace(-5, 5, 900_000)


@pytest.mark.parametrize("kind", [ValueError, TypeError, KeyError, TimeoutError])
def test_what_a_handler_raises_arrives(kind: type[Exception]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise kind("time is up")

    once = gs.log_sigmoid(X)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(20):
            y = X.copy()
            with pytest.raises(kind, match="time is up"):
                signal.setitimer(signal.ITIMER_REAL, 0.0003)
                gs.log_sigmoid(y, out=y)
                # the handler of an alarm that comes late runs here
                signal.pause()
            assert np.array_equal(y, once) or np.array_equal(y, X)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
