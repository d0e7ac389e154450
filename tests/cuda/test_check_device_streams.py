"""check-device's streams and graphs, on queues of NumPy work in a GPU's place."""

from typing import Any

import numpy as np
import pytest
from helpers.stream_stand_in import XP, in_turn, synchronizing

import gpu_sigmoid as gs
from gpu_sigmoid.device_check import graph, streams
from gpu_sigmoid.device_check.subject import Device, call_public

QUEUES = streams.cupy_streams(XP)
RIGHT = Device(XP, np.asarray, in_turn, QUEUES)
# runs at once, as on a stream that waits for no other
WRONG_STREAM = Device(XP, np.asarray, call_public, QUEUES)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SIZE", 4099)
    monkeypatch.setattr(streams, "BALLAST_BYTES", 8)


@pytest.mark.parametrize("layout", streams.STEPS)
@pytest.mark.parametrize("component", streams.MODES)
def test_streams(function: Any, component: str, layout: str) -> None:
    def failure(device: Device) -> str | None:
        dtype = np.dtype("f4")
        return streams.check_streams(device, function, component, dtype, layout).failure

    assert failure(RIGHT) is None
    assert "differ" in str(failure(WRONG_STREAM))


@pytest.mark.parametrize("layout", streams.STEPS)
@pytest.mark.parametrize("component", streams.MODES)
def test_graph(function: Any, component: str, layout: str) -> None:
    def failure(device: Device) -> str | None:
        return graph.check_graph(device, function, component, np.dtype("f4"), layout).failure

    assert failure(RIGHT) is None
    assert "differ" in str(failure(WRONG_STREAM))


def test_a_call_that_waits_cannot_be_captured() -> None:
    device = Device(XP, np.asarray, synchronizing, QUEUES)
    finding = graph.check_graph(device, gs.silu, "value", np.dtype("f4"), "contiguous")
    assert finding.failure == "RuntimeError: cannot wait for a stream that captures"
