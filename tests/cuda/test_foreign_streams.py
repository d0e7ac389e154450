"""Arrays of other libraries on a GPU: work on them is in the order of their streams, in captures too."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.exporters import Exporter
from helpers.processes import python

import gpu_sigmoid as gs

need("cupy")

import cupy

pytestmark = pytest.mark.usefixtures("no_warnings")

HOST = np.linspace(-5, 5, 1000, dtype=np.float32)


def pending(target: Any, value: float) -> Any:
    """Return a new stream that is to fill an array: it does so late."""
    source = cupy.full(target.shape, value, target.dtype)
    cupy.cuda.Device().synchronize()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        for _ in range(20):
            cupy.copyto(target, source)
    return stream


def test_the_exporters_stream_is_waited_for() -> None:
    x = cupy.zeros(1 << 20, np.float32)
    gs.sigmoid(x)
    stream = pending(x, 3)
    assert (gs.sigmoid(Exporter(x, stream.ptr)).get() == gs.sigmoid(np.float32(3))).all()


@pytest.mark.parametrize("stream", [None, 1, 2])
def test_default_streams(stream: int | None) -> None:
    x = cupy.asarray(HOST)
    with cupy.cuda.Stream():
        got = gs.sigmoid(Exporter(x, stream)).get()
    assert got.tobytes() == gs.sigmoid(HOST).tobytes()


def test_stream_0_is_refused() -> None:
    with pytest.raises(ValueError, match="Exporter: stream 0 is ambiguous"):
        gs.sigmoid(Exporter(cupy.ones(3), 0))


def test_events_measure_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    event = cupy.cuda.Event
    monkeypatch.setattr(cupy.cuda, "Event", lambda **options: made.append(options) or event(**options))
    x, stream = cupy.ones(3), cupy.cuda.Stream(non_blocking=True)
    gs.sigmoid(Exporter(x, stream.ptr))
    assert made == [{"disable_timing": True}]
    gs.sigmoid(Exporter(x, 1))
    assert len(made) == 1, "the current stream waits for itself"


def test_inside_of_a_capture() -> None:
    """The capturing stream's arrays are taken, and of others an error leaves the capture as it is."""
    x, other = cupy.asarray(HOST), cupy.cuda.Stream(non_blocking=True)
    out, second = cupy.zeros_like(x), cupy.zeros_like(x)
    gs.sigmoid(x, out=out)
    out[...] = 0
    with cupy.cuda.Stream(non_blocking=True) as stream:
        cupy.cuda.Device().synchronize()
        stream.begin_capture()
        gs.sigmoid(Exporter(x, stream.ptr), out=out)
        for number in (1, other.ptr):
            with pytest.raises(RuntimeError, match=r"Exporter: .* one captures a graph.* before the capture"):
                gs.sigmoid(Exporter(x, number), out=out)
        gs.sigmoid(Exporter(x), out=second)
        graph = stream.end_capture()
        graph.launch()
        stream.synchronize()
        assert out.get().tobytes() == second.get().tobytes() == gs.sigmoid(HOST).tobytes()


def test_outside_of_the_exporters_capture() -> None:
    x, stream = cupy.asarray(HOST), cupy.cuda.Stream(non_blocking=True)
    stream.begin_capture()
    with pytest.raises(RuntimeError, match=r"Exporter: .* one captures a graph"):
        gs.sigmoid(Exporter(x, stream.ptr))
    stream.end_capture()
    assert gs.sigmoid(x).get().tobytes() == gs.sigmoid(HOST).tobytes()


def test_forked_streams_of_a_capture_wait_for_each_other() -> None:
    x, fork = cupy.asarray(HOST), cupy.cuda.Stream(non_blocking=True)
    middle, out = cupy.zeros_like(x), cupy.zeros_like(x)
    gs.sigmoid(x)
    with cupy.cuda.Stream(non_blocking=True) as stream:
        cupy.cuda.Device().synchronize()
        stream.begin_capture()
        fork.wait_event(stream.record())
        with fork:
            gs.sigmoid(x, out=middle)
        with stream:
            gs.sigmoid(Exporter(middle, fork.ptr), out=out)
            graph = stream.end_capture()
            graph.launch()
        stream.synchronize()
    assert out.get().tobytes() == gs.sigmoid(gs.sigmoid(HOST)).tobytes()


TWO_DEVICES = """
import numpy as np, cupy, gpu_sigmoid as gs
from helpers.exporters import Exporter, Packed
from test_foreign_streams import HOST, pending
if cupy.cuda.runtime.getDeviceCount() < 2:
    print("one device")
    raise SystemExit
with cupy.cuda.Device(1):
    x, late = cupy.asarray(HOST), cupy.zeros(1 << 20, np.float32)
    gs.sigmoid(x)
    own = pending(late, 3)
got = gs.sigmoid(Exporter(late, own.ptr))
assert got.device.id == 1 and cupy.cuda.Device().id == 0
assert (got.get() == gs.sigmoid(np.float32(3))).all()
got = gs.sigmoid(Packed(x))
assert got.device.id == 1 and got.get().tobytes() == gs.sigmoid(HOST).tobytes()
with cupy.cuda.Device(1):
    # not the legacy default stream: nothing orders this one but events
    current = cupy.cuda.Stream(non_blocking=True).use()
    own = pending(late, 2)
    current.use()
got = gs.sigmoid(Exporter(late, own.ptr))
with cupy.cuda.Device(1):
    current.synchronize()
    assert (got.get() == gs.sigmoid(np.float32(2))).all()
print("ok")
"""


def test_two_devices() -> None:
    here = Path(__file__).parent
    paths = os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(here.parent)])
    done = python("-c", TWO_DEVICES, cwd=here, EMULATED_GPU_DEVICES=2, PYTHONPATH=paths)
    if done.stdout == "one device\n":
        pytest.skip("one device")
    assert done.stdout == "ok\n", done.stderr
