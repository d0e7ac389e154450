"""Exceptions of signal handlers during short calls: they arrive, and nothing is computed twice."""

import signal
import time
from types import FrameType
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import prepared

# below the size from which calls are split, and long enough to be interrupted
X = np.linspace(-5, 5, 900_000)


@pytest.mark.parametrize("kind", [ValueError, TypeError, KeyError, TimeoutError])
def test_what_a_handler_raises_arrives(kind: type[Exception], alarm: Any) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise kind("time is up")

    once = gs.log_sigmoid(X)
    alarm(handler)
    for _ in range(20):
        y = X.copy()
        with pytest.raises(kind, match="time is up"):
            signal.setitimer(signal.ITIMER_REAL, 0.0003)
            gs.log_sigmoid(y, out=y)
            # the handler of an alarm that comes late runs here
            time.sleep(1)
        assert np.array_equal(y, once) or np.array_equal(y, X)


def interrupted(*operands: Any) -> None:
    """Raise what a ufunc raises for shapes that do not fit, as a signal handler may."""
    raise ValueError("of a signal handler")


def test_it_is_not_taken_for_an_error_of_the_ufunc(monkeypatch: pytest.MonkeyPatch) -> None:
    x, calls = np.ones(5), []

    def ufunc(*operands: Any) -> None:
        calls.append(operands)
        interrupted()

    ufunc.nin, ufunc.nout = 2, 1  # type: ignore[attr-defined]
    monkeypatch.setitem(gs.swiglu.ready, x.dtype, prepared.on_arrays(gs.swiglu, x.dtype, ufunc))
    with pytest.raises(ValueError, match=r"^of a signal handler$"):
        gs.swiglu(x, np.ones(3))
    assert len(calls) == 1


def test_it_is_not_taken_for_an_error_about_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    x, row = np.ones((100, 500)), np.ones(500)
    gs.swiglu(x, x)
    monkeypatch.setattr(prepared, "broadcast", interrupted)
    with pytest.raises(ValueError, match=r"^of a signal handler$"):
        gs.swiglu(x, row)
