"""The conditions of measurements (processor or GPU, date, versions), and their clocks."""

import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from timeit import timeit
from typing import Any

from gpu_sigmoid.environment import gpu_description, installed
from gpu_sigmoid.processors import text
from gpu_sigmoid.version import __version__

ON_CPU = ("numpy", "numba", "llvmlite")
ON_GPU = ("numpy", "cupy-cuda13x", "cupy-cuda12x", "numba-cuda")
"""The distributions that our own results and their speed depend on."""

VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}

Clock = Callable[[Callable[[], Any], int], float]
"""Measures the seconds that so many calls take."""


def measured_on(device: str, distributions: Iterable[str]) -> dict[str, Any]:
    """Return the conditions that a row of figures names."""
    return {"device": device, "date": today(), "versions": versions(distributions)}


def cpu() -> str:
    """Return the name of the processor and of the system."""
    return f"{processor()}, {platform.system()} {platform.machine()}"


def gpu() -> str:
    """Return the current GPU's name and its driver's version."""
    found = gpu_description()
    return f"{found['name']}, CUDA driver {found['driver']}"


def processor() -> str:
    """Return the processor's name, family and model, and the longest vectors kernels are compiled for."""
    lines = text(Path("/proc/cpuinfo")).splitlines()
    told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    name = told.get("model name") or platform.processor() or "unknown processor"
    numbers = (("family", "cpu family"), ("model", "model"))
    family = " ".join(f"{shown} {told[key]}" for shown, key in numbers if key in told)
    features = os.environ.get("NUMBA_CPU_FEATURES", told.get("flags", ""))
    vectors = next((shown for flag, shown in VECTORS.items() if flag in features), "")
    return ", ".join(filter(None, (name, family, vectors)))


def today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions of gpu_sigmoid, of Python and of the distributions that are installed."""
    found = {name: version for name in distributions if (version := installed(name))}
    return {"gpu_sigmoid": __version__, "python": platform.python_version(), **found}


def as_json(content: dict[str, Any]) -> str:
    """Return a document with one of its `rows` per line, so that diffs are readable."""
    head = json.dumps({key: value for key, value in content.items() if key != "rows"}, indent=1)
    rows = ",\n".join(f"  {json.dumps(row)}" for row in content["rows"])
    return f'{head[:-2]},\n "rows": [\n{rows}\n ]\n}}\n'


def host_seconds(call: Callable[[], Any], count: int) -> float:
    return timeit(call, number=count)


def gpu_seconds(call: Callable[[], Any], count: int) -> float:
    """Measure by events on the current stream: the GPU's time, not the host's."""
    import cupy

    start, stop = cupy.cuda.Event(), cupy.cuda.Event()
    start.record()
    for _ in range(count):
        call()
    stop.record()
    stop.synchronize()
    return float(cupy.cuda.get_elapsed_time(start, stop)) / 1000
