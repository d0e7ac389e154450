"""Tensors that go through CuPy arrays are computed on the stream they are given; stand-ins of torch's."""

import importlib
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.required import library

import gpu_sigmoid as gs

need("cupy")

import cupy

library("torch")


@pytest.mark.parametrize("default", [True, False])
def test_the_current_stream(default: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, source = cupy.zeros(1 << 20, np.float32), cupy.full(1 << 20, 3, np.float32)
    out = cupy.zeros_like(x)
    gs.sigmoid(x)
    cupy.cuda.Device().synchronize()
    stream = cupy.cuda.Stream.null if default else cupy.cuda.Stream(non_blocking=True)
    with stream:
        for _ in range(20):
            cupy.copyto(x, source)
    backend = importlib.import_module("gpu_sigmoid.backends.torch.cuda")
    monkeypatch.setattr(backend, "as_cupy", lambda tensor: tensor.array)

    def tensor(array: Any) -> Any:
        return SimpleNamespace(array=array, get_device=lambda: 0)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with cupy.cuda.Stream(non_blocking=True):
            backend.by_arrays(gs.sigmoid, (tensor(x),), (tensor(out),), stream.ptr)
    stream.synchronize()
    assert (out.get() == gs.sigmoid(np.float32(3))).all()
