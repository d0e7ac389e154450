"""gs.device in functions that numba-cuda compiles: the PTX, without a GPU."""

from typing import Any

import numpy as np
import pytest
from helpers import ptx
from helpers.methods import operands
from helpers.scalars import loop, scalar_method, shows
from numba import types

import gpu_sigmoid as gs
from gpu_sigmoid import device
from gpu_sigmoid.lowering import lower
from gpu_sigmoid.lowering.constants import FORMATS

TYPES = {"float32": types.float32, "float64": types.float64}


def test_example_of_the_documentation() -> None:
    cuda = ptx.numba_cuda()

    @cuda.jit
    def update(weights, logits, gradient):
        i = cuda.grid(1)
        if i < weights.size:
            weights[i] -= gs.device.silu.vjp(logits[i], gradient[i])

    assert shows(device, update.py_func)
    text = ptx.compiled(update.py_func, *[types.float32[::1]] * 3)
    assert ptx.operations(text)["rcp.approx.ftz.f32"] == 1
    assert ".f64" not in text


@pytest.mark.parametrize("fastmath", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
def test_in_cuda_every_operation_stands_as_written(function: Any, dtype: str, fastmath: bool) -> None:
    """Nothing contracted, nothing flushed, nothing widened: each operation once, as its PTX."""
    cuda = ptx.numba_cuda()
    count = len(operands(function, "value_and_grad", np.ones(1)))
    f = scalar_method(function, "value_and_grad")
    method = function.methods["value_and_grad"]
    results = len(method.mode.partials)
    source = loop(f, count, results, "cuda.grid(1)", "cuda.gridsize(1)", cuda=cuda)
    text = ptx.compiled(source, *[TYPES[dtype][::1]] * (count + results), fastmath=fastmath)
    program = lower(function.formula, method.mode, FORMATS[dtype])
    assert ptx.holds_only(text, program)
    assert not ptx.flushes(text)
    if dtype == "float32":
        assert ".f64" not in text
    ptx.assemble(text)
