"""A GPU that is needed where none can be used, and one that is required where there is one."""

import os

import pytest
from helpers.processes import printed

import gpu_sigmoid as gs

SCRIPT = """
import gpu_sigmoid as gs

class Exporter:
    __cuda_array_interface__ = {"shape": (2, 3), "typestr": "<f4", "data": (4096, False), "version": 3}

calls = (
    lambda: gs.sigmoid(Exporter()),
    lambda: gs.asarray([1.0], require_gpu=True),
    lambda: gs.array_module(require_gpu=True),
)
for call in calls:
    try:
        print(call())
    except RuntimeError as error:
        print(error)
"""
WISHES = (
    "sigmoid: an array lies on a GPU",
    "asarray: require_gpu=True asks for a GPU",
    "array_module: require_gpu=True asks for a GPU",
)


def test_the_error_says_who_needs_it_why_there_is_none_and_what_helps() -> None:
    if gs.gpu_available() and "GPU_SIGMOID_EMULATE" not in os.environ:
        pytest.skip("there is a GPU")
    lines = printed("-c", SCRIPT, GPU_SIGMOID_EMULATE=None, PYTHONPATH=None).splitlines()
    for line, wish in zip(lines, WISHES, strict=True):
        assert line.startswith(f"{wish}, and none can be used: there is no NVIDIA driver")
        assert "docker run --gpus all" in line


def test_a_driver_without_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    from gpu_sigmoid import environment

    # without its cache
    monkeypatch.setattr(environment, "why_no_gpu", environment.why_no_gpu.__wrapped__)
    monkeypatch.setattr(environment.ctypes, "CDLL", lambda name: None)
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r'CuPy is not installed: pip install "gpu-sigmoid\[cuda13\]"'):
        gs.asarray([1.0], require_gpu=True)


def test_what_is_no_array_of_cupys_needs_no_gpu() -> None:
    cupy = pytest.importorskip("cupy")
    kernel = cupy.ElementwiseKernel("T x", "T y", "y = x")
    for other in (kernel, cupy.sin, cupy.fuse(abs), cupy.RawKernel("", ""), cupy.ndarray):
        with pytest.raises(TypeError, match=r"^sigmoid: .*cupy\S+ is not accepted; accepted are numbers"):
            gs.sigmoid(other)


@pytest.mark.usefixtures("gpu")
def test_a_gpu_that_is_required_is_used() -> None:
    import cupy

    assert gs.array_module(require_gpu=True) is cupy
    x = gs.asarray([1, 2], dtype="float32", require_gpu=True)
    assert isinstance(x, cupy.ndarray) and x.dtype == "float32"
    assert cupy.asnumpy(x).tolist() == [1.0, 2.0]
