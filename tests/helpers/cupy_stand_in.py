"""NumPy arrays that say they are on a GPU, and what the backend for CuPy launches on them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs
from gpu_sigmoid import dispatch
from helpers.methods import as_tuple


class Device:
    """A GPU, and whether it is the current one."""

    def __init__(self, number: int) -> None:
        self.id, self.entered = number, 0

    def __enter__(self) -> None:
        self.entered += 1

    def __exit__(self, *error: Any) -> None:
        pass


DEVICES = [Device(0), Device(1)]


class Array(np.ndarray):
    """A NumPy array that says it is on a GPU."""

    device = DEVICES[0]

    @property
    def data(self) -> Any:
        return SimpleNamespace(ptr=self.__array_interface__["data"][0])


def on_gpu(x: Any, number: int = 0) -> Array:
    array = np.array(x).view(Array)
    array.device = DEVICES[number]
    return array


class Launches(list):
    """What was launched; the results are computed by the CPU's kernels."""

    def by(self, kind: str) -> Any:
        def launch(formula: Any, mode: Any, dtype: str, arrays: tuple, results: tuple) -> None:
            self.append((kind, formula.__name__, mode.name, dtype))
            host = [a if np.ndim(a) == 0 else np.asarray(a).view(np.ndarray) for a in arrays]
            got = gs.FUNCTIONS[formula.__name__].methods[mode.name](*host)
            for target, value in zip(results, as_tuple(got), strict=True):
                target.view(np.ndarray)[...] = value

        return launch


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Launches:
    """Put these arrays in CuPy's place and return what is launched on them."""
    from gpu_sigmoid.backends import cupy as backend
    from gpu_sigmoid.backends.cupy import elementwise, foreign, lut, packed

    recorded = Launches()
    module = SimpleNamespace(
        ndarray=Array,
        empty=lambda shape, dtype: on_gpu(np.empty(shape, dtype)),
        empty_like=lambda a, dtype=None: on_gpu(np.empty_like(a, dtype or a.dtype)),
    )
    monkeypatch.setattr(backend, "cupy", module)
    monkeypatch.setattr(packed, "cupy", module)
    monkeypatch.setattr(foreign, "cupy", module)
    monkeypatch.setattr(dispatch, "require_gpu", lambda function: None)
    monkeypatch.setattr(lut, "room", lambda device: 227 << 10)
    stream = SimpleNamespace(is_capturing=lambda: False)
    module.cuda = SimpleNamespace(Device=lambda: SimpleNamespace(id=0), get_current_stream=lambda: stream)
    monkeypatch.setattr(lut, "cupy", module)
    monkeypatch.setattr(lut, "launch", recorded.by("lut"))
    monkeypatch.setattr(packed, "launch", recorded.by("packed"))
    monkeypatch.setattr(elementwise, "launch", recorded.by("elementwise"))
    monkeypatch.setitem(dispatch._backend_of_type, Array, "cupy")
    return recorded
