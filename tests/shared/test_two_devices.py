"""Arrays on two GPUs: results are where the operands are, and operands on both are refused."""

import os
import sys

import pytest
from helpers.backends import Backend
from helpers.processes import printed

SCRIPT = """
import sys
import numpy as np
import emulated_gpu.turned_on
import gpu_sigmoid as gs
from helpers.backends import MAKERS
from helpers.calls import assert_results, expected

backend = MAKERS[sys.argv[1]]()
if sys.argv[1] == "cupy":
    import cupy
    count, second = cupy.cuda.runtime.getDeviceCount(), cupy.cuda.Device
    current, place = lambda: cupy.cuda.Device().id, lambda array: array.device.id
else:
    from numba import cuda
    count, second = len(cuda.gpus), lambda number: cuda.gpus[number]
    current, place = lambda: cuda.get_current_device().id, lambda array: array.gpu_data.context.device.id
if count < 2:
    print("one device")
    raise SystemExit
host = np.linspace(-5, 5, 1000, dtype=np.float32)
first = backend.to_device(host)
with second(1):
    x, out = backend.to_device(host), backend.to_device(np.zeros_like(host))
for _ in range(2):
    for method, operands in ((gs.sigmoid, (x,)), (gs.silu.value_and_grad, (x,)), (gs.sigmoid.vjp, (x, 0.5))):
        got = method(*operands)
        assert current() == 0
        with second(1):
            assert_results(backend, got, expected(method, host, *operands[1:]))
        assert all(place(y) == 1 for y in (got if isinstance(got, tuple) else (got,)))
    assert gs.sigmoid(x, out=out) is out
    with second(1):
        assert_results(backend, out, expected(gs.sigmoid, host))
    assert place(gs.sigmoid(first)) == 0
    for call in (lambda: gs.bce_with_logits(first, x), lambda: gs.bce_with_logits(x, first)):
        try:
            call()
        except TypeError as error:
            print(error)
    try:
        gs.sigmoid(first, out=out)
    except TypeError as error:
        print(error)
"""


def test_two_devices(backend: Backend) -> None:
    if backend.name == "cpu":
        pytest.skip("a CPU is one device")
    paths = os.pathsep.join(sys.path)
    said = printed("-c", SCRIPT, backend.name, EMULATED_GPU_DEVICES=2, PYTHONPATH=paths)
    if said == "one device\n":
        pytest.skip("one device")
    words = "arrays on GPU 0 and GPU 1: move them to one first"
    assert said == f"bce_with_logits: {words}\nbce_with_logits: {words}\nsigmoid: {words}\n" * 2
