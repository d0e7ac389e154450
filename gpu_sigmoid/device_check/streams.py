"""Work in the order of its stream: two streams at once, and a captured graph's replays.

A stream is kept busy before arrays are filled on it. Work that runs on another stream, or too early, finds
the arrays not yet filled.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from gpu_sigmoid.device_check.subject import Check, Device, Streams, as_tuple, first_difference, with_operands
from gpu_sigmoid.methods import Function, Method

SIZE = 1 << 18
ROUNDS, REPLAYS = 4, 3
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


class Lane:
    """One stream's arrays: operands, results, and the expected results."""

    def __init__(self, device: Device, method: Method, dtype: np.dtype, step: int, turn: int) -> None:
        assert device.streams is not None
        self.device, self.method, self.step, self.copy = device, method, step, device.streams.copy
        x = np.roll(np.linspace(-12, 12, SIZE).astype(dtype), 1009 * turn)
        whole = with_operands(method, x)
        self.operands = tuple(np.ascontiguousarray(o[::step]) for o in whole)
        self.wants = as_tuple(method(*self.operands))
        self.sources = tuple(map(device.xp.asarray, whole))
        self.buffers, self.results = map(self.zeros_like, (whole, self.wants))

    def zeros_like(self, arrays: tuple[np.ndarray, ...]) -> tuple:
        return tuple(self.device.xp.asarray(np.zeros_like(a)) for a in arrays)

    def work(self) -> None:
        """Fill the buffers and compute from them, on the current stream."""
        for buffer, source in zip(self.buffers, self.sources, strict=True):
            self.copy(buffer, source)
        out = self.results if len(self.results) > 1 else self.results[0]
        self.device.call(self.method, tuple(b[:: self.step] for b in self.buffers), out)

    def failure(self) -> str | None:
        return first_difference(map(self.device.to_host, self.results), self.wants, self.operands[0])


def outcome(lanes: list[Lane]) -> tuple[int, str | None]:
    """Return how many elements lanes have, and their first difference."""
    failures = (lane.failure() for lane in lanes)
    return sum(lane.wants[0].size for lane in lanes), next(filter(None, failures), None)


def compare_streams(device: Device, method: Method, dtype: np.dtype, step: int) -> tuple[int, str | None]:
    """Compare while two streams work at once, each on arrays that it fills itself."""
    streams = device.streams
    assert streams is not None
    lanes = [Lane(device, method, dtype, step, turn) for turn in range(2 * ROUNDS)]
    ballast = [device.xp.asarray(np.zeros(BALLAST_BYTES, "u1")) for _ in range(2)]
    # compiling during the rounds would give the streams time to finish
    lanes[0].work()
    for each in (*lanes[0].buffers, *lanes[0].results):
        streams.copy(each, device.xp.asarray(np.zeros(tuple(each.shape), dtype)))
    streams.wait_for_all()
    pair = [streams.new(), streams.new()]
    for turn, lane in enumerate(lanes):
        with streams.current(pair[turn % 2]):
            for _ in range(BALLAST_COPIES):
                streams.copy(*ballast)
            lane.work()
    for stream in pair:
        streams.wait(stream)
    return outcome(lanes)


def compare_replays(device: Device, method: Method, dtype: np.dtype, step: int) -> tuple[int, str | None]:
    """Capture a call with CuPy and compare the results of its replays on other inputs."""
    streams = device.streams
    assert streams is not None
    captured, *lanes = (Lane(device, method, dtype, step, turn) for turn in range(1 + REPLAYS))
    stream = streams.new()
    streams.wait_for_all()
    with streams.current(stream):
        # compiles, which a capture does not allow
        captured.work()
        stream.synchronize()
        stream.begin_capture()
        try:
            captured.work()
        finally:
            graph = stream.end_capture()
        for lane in lanes:
            for source, values in zip(captured.sources, lane.sources, strict=True):
                streams.copy(source, values)
            graph.launch()
            for target, result in zip(lane.results, captured.results, strict=True):
                streams.copy(target, result)
        stream.synchronize()
    return outcome(lanes)


COMPARISONS = {"streams": compare_streams, "graph": compare_replays}


def checks(
    section: str, device: Device, function: Function, dtype: np.dtype, layouts: Iterable[str] = tuple(STEPS)
) -> Iterator[Check]:
    """Yield the checks of streams or of graphs."""
    for mode, layout in product(MODES, layouts):
        method = function.methods[mode]
        compare = partial(COMPARISONS[section], device, method, dtype, STEPS[layout])
        yield Check(section, f"{method.label} {dtype} {layout}", compare)
