"""Work in the order of its stream: two streams at once, and a captured graph's replays.

Arrays are filled on a stream that is kept busy first. What does not run on that stream,
in its turn, finds them not filled yet.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gpu_sigmoid.device_check.subject import (
    Device,
    Finding,
    Streams,
    as_tuple,
    call_public,
    difference,
    further,
)
from gpu_sigmoid.functions import Function

SIZE = 1 << 18
ROUNDS = 4
# copied on a stream before each round, which takes a GPU some milliseconds
BALLAST_BYTES = 1 << 28
BALLAST_COPIES = 8
MODES = ("value", "value_and_grad")
STEPS = {"contiguous": 1, "strided": 2}


def cupy_streams(xp: Any) -> Streams:
    """Return the streams of CuPy, or of a module like it."""
    return Streams(
        new=lambda: xp.cuda.Stream(non_blocking=True),
        current=lambda stream: stream,
        wait=lambda stream: stream.synchronize(),
        wait_for_all=lambda: xp.cuda.Device().synchronize(),
        copy=xp.copyto,
    )


@dataclass
class Lane:
    """One stream's arrays: what is to be computed, where from and where to, and what should come out."""

    operands: tuple[np.ndarray, ...]
    wants: tuple[np.ndarray, ...]
    sources: tuple
    buffers: tuple
    results: tuple

    def work(self, device: Device, function: Function, component: str, step: int, copy: Any) -> None:
        """Fill the buffers and compute from them, on the current stream."""
        for buffer, source in zip(self.buffers, self.sources, strict=True):
            copy(buffer, source)
        out = self.results if len(self.results) > 1 else self.results[0]
        device.call(function, component, tuple(b[::step] for b in self.buffers), out)

    def failure(self, device: Device) -> str | None:
        failures = (
            difference(device.to_host(r), w, self.operands[0])
            for r, w in zip(self.results, self.wants, strict=True)
        )
        return next((f for f in failures if f), None)


def lane(device: Device, function: Function, component: str, dtype: np.dtype, step: int, turn: int) -> Lane:
    x = np.roll(np.linspace(-12, 12, SIZE).astype(dtype), 1009 * turn)
    whole = (x, *further(function, component, x))
    operands = tuple(np.ascontiguousarray(o[::step]) for o in whole)
    wants = as_tuple(call_public(function, component, operands))
    return Lane(
        operands,
        wants,
        tuple(device.xp.asarray(o) for o in whole),
        tuple(device.xp.asarray(np.zeros_like(o)) for o in whole),
        tuple(device.xp.asarray(np.zeros_like(w)) for w in wants),
    )


def check_streams(
    device: Device, function: Function, component: str, dtype: np.dtype, layout: str
) -> Finding:
    """Compare with the CPU where two streams work at once, each on arrays that it fills itself."""
    streams, step = device.streams, STEPS[layout]
    assert streams is not None
    lanes = [lane(device, function, component, dtype, step, turn) for turn in range(2 * ROUNDS)]
    ballast = [device.xp.asarray(np.zeros(BALLAST_BYTES, "u1")) for _ in range(2)]
    # compiling within the rounds would give the streams time to finish
    lanes[0].work(device, function, component, step, streams.copy)
    for each in (*lanes[0].buffers, *lanes[0].results):
        streams.copy(each, device.xp.asarray(np.zeros(tuple(each.shape), dtype)))
    streams.wait_for_all()
    pair = [streams.new(), streams.new()]
    for turn, each in enumerate(lanes):
        with streams.current(pair[turn % 2]):
            for _ in range(BALLAST_COPIES):
                streams.copy(*ballast)
            each.work(device, function, component, step, streams.copy)
    for stream in pair:
        streams.wait(stream)
    failure = next((f for each in lanes if (f := each.failure(device))), None)
    subject = f"{function.__name__} {component} {dtype.name} {layout}"
    return Finding("streams", subject, sum(each.wants[0].size for each in lanes), failure)
