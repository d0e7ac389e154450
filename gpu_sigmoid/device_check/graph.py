"""CUDA graphs: a call captured once gives, replayed, the results of what its inputs then hold."""

import numpy as np

from gpu_sigmoid.device_check.streams import STEPS, Lane, lane
from gpu_sigmoid.device_check.subject import Device, Finding
from gpu_sigmoid.functions import Function

REPLAYS = 3


def check_graph(device: Device, function: Function, component: str, dtype: np.dtype, layout: str) -> Finding:
    """Capture a call with CuPy, replay it on other inputs and compare with the CPU."""
    subject = f"{function.__name__} {component} {dtype.name} {layout}"
    step = STEPS[layout]
    lanes = [lane(device, function, component, dtype, step, turn) for turn in range(1 + REPLAYS)]
    try:
        failure = replayed(device, function, component, step, lanes)
    except RuntimeError as error:  # what CUDA does not allow in a capture
        failure = f"{type(error).__name__}: {error}"
    return Finding("graph", subject, sum(each.wants[0].size for each in lanes[1:]), failure)


def replayed(device: Device, function: Function, component: str, step: int, lanes: list[Lane]) -> str | None:
    streams, captured = device.streams, lanes[0]
    assert streams is not None
    stream = streams.new()
    streams.wait_for_all()
    with streams.current(stream):
        # compiles, which a capture does not allow
        captured.work(device, function, component, step, streams.copy)
        stream.synchronize()
        stream.begin_capture()
        try:
            captured.work(device, function, component, step, streams.copy)
        finally:
            graph = stream.end_capture()
        for other in lanes[1:]:
            for source, values in zip(captured.sources, other.sources, strict=True):
                streams.copy(source, values)
            graph.launch()
            for target, result in zip(other.results, captured.results, strict=True):
                streams.copy(target, result)
        stream.synchronize()
    return next((f for other in lanes[1:] if (f := other.failure(device))), None)
