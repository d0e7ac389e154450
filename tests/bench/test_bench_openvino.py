"""OpenVINO as a peer: on the arrays' own memory, split into rows, and in the operands' precision."""

import numpy as np
import pytest
from helpers.required import library

library("openvino")

import gpu_sigmoid as gs
from bench.cases import Case, operands
from bench.peers import openvino

EPS = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 1e-6}


@pytest.mark.parametrize("size", [1000, 1001])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", EPS)
def test_results_are_in_the_array_and_in_its_precision(
    dtype: str, threads: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino, "_threads", threads)
    case = Case("sigmoid", "value", dtype, size, "out", threads)
    inputs, outs = operands(case)
    # `inputs` go, as the operands that `python -m bench accuracy` makes
    want = gs.sigmoid(inputs[0].astype("float64"))
    call = openvino.prepare(case, inputs, outs)
    del inputs
    assert call is not None and call() is outs[0]
    np.testing.assert_allclose(outs[0].astype("float64"), want, rtol=EPS[dtype], atol=1e-7)


def test_a_new_array_has_the_results_too() -> None:
    case = Case("swiglu", "value", "float32", 1000, "new", 1)
    inputs, outs = operands(case)
    call = openvino.prepare(case, inputs, outs)
    assert call is not None
    first, second = call(), call()
    assert first is not second and not np.shares_memory(first, second)
    np.testing.assert_allclose(np.ravel(first), gs.swiglu(*inputs), rtol=1e-5)


def test_what_it_would_compute_in_less_precision_is_left_out() -> None:
    case = Case("sigmoid", "value", "float64", 10, "out", 1)
    assert openvino.prepare(case, *operands(case)) is None
