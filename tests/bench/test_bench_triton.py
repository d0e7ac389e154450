"""The benchmark's Triton kernels, by Triton's interpreter, which needs no GPU."""

from pathlib import Path

from helpers.processes import printed
from helpers.required import library

library("torch")
library("triton")

ROOT = Path(__file__).parents[2]
CODE = """
import numpy as np
import gpu_sigmoid as gs
from bench.cases import Case, operands
from bench.peers.triton import FORMULAS, GATED, prepare

for function, mode in FORMULAS:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        case = Case(function, mode, dtype, 2500, "out", 1)
        inputs, outs = operands(case)
        prepare(case, inputs, outs)()
        method = getattr(gs, function)
        want = (method if mode == "value" else getattr(method, mode))(*inputs)
        for got, expected in zip(outs, want if len(outs) > 1 else (want,), strict=True):
            np.testing.assert_allclose(got.astype("f8"), expected.astype("f8"), rtol=1e-2, atol=1e-5)
for function in GATED:
    for mode in ("value", "value_and_grad", "vjp"):
        for dtype in ("float16", "bfloat16", "float32", "float64"):
            for layout, size in (("out", 2500), ("packed", 3000)):
                case = Case(function, mode, dtype, size, layout, 1)
                inputs, outs = operands(case)
                prepare(case, inputs, outs)()
                wants = case.method(*inputs)
                for got, want in zip(outs, wants if len(outs) > 1 else (wants,), strict=True):
                    np.testing.assert_allclose(got.astype("f8"), want.astype("f8"), rtol=1e-2, atol=1e-3)
assert prepare(Case("logit", "value", "float32", 10, "out", 1), (), ()) is None
"""


def test_kernels_compute_what_is_said() -> None:
    printed("-c", CODE, cwd=ROOT, TRITON_INTERPRET=1)
