"""check-device's streams and graphs, on queues of NumPy work in a GPU's place."""

from typing import Any

import numpy as np
import pytest
from helpers.stream_stand_in import XP, Stream, put

import gpu_sigmoid as gs
from gpu_sigmoid.device_check import streams
from gpu_sigmoid.device_check.subject import Device, call_public


def in_turn(method: Any, operands: tuple, out: Any) -> None:
    """Compute on the current stream."""
    put(lambda: call_public(method, operands, out))


def synchronizing(method: Any, operands: tuple, out: Any) -> None:
    """Compute on the current stream and wait for it."""
    in_turn(method, operands, out)
    for stream in Stream.stack[-1:]:
        stream.synchronize()


QUEUES = streams.cupy_streams(XP)
RIGHT = Device(XP, np.asarray, in_turn, QUEUES)
# runs at once, as on a stream that waits for no other
WRONG_STREAM = Device(XP, np.asarray, call_public, QUEUES)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SIZE", 4099)
    monkeypatch.setattr(streams, "BALLAST_BYTES", 8)


@pytest.mark.parametrize("section", streams.COMPARISONS)
def test_the_order_of_work(function: Any, section: str) -> None:
    def failures(device: Device) -> list[str | None]:
        checks = streams.checks(section, device, function, np.dtype("f4"))
        return [check().failure for check in checks]

    assert failures(RIGHT) == [None] * 4
    assert all("differ" in str(failure) for failure in failures(WRONG_STREAM))


def test_a_call_that_waits_cannot_be_captured() -> None:
    device = Device(XP, np.asarray, synchronizing, QUEUES)
    check = next(streams.checks("graph", device, gs.silu, np.dtype("f4")))
    assert check().failure == "raised RuntimeError: cannot wait for a stream that captures"
