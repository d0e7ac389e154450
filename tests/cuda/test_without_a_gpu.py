"""Arrays that say they lie on a GPU where none can be used."""

import os
import subprocess
import sys

import pytest

import gpu_sigmoid as gs

SCRIPT = """
import gpu_sigmoid as gs

class Exporter:
    __cuda_array_interface__ = {"shape": (2, 3), "typestr": "<f4", "data": (4096, False), "version": 3}

try:
    gs.sigmoid(Exporter())
except RuntimeError as error:
    print(error)
"""


def test_the_error_says_why() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("GPU_SIGMOID_EMULATE", "PYTHONPATH")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
    if gs.gpu_available() and "GPU_SIGMOID_EMULATE" not in os.environ:
        pytest.skip("there is a GPU")
    assert "sigmoid: " in done.stdout, done.stderr
    assert "lies on a GPU, and none can be used: there is no NVIDIA driver" in done.stdout
