"""OpenVINO: a model of the function alone, bound to the operands' memory.

It computes in the operands' precision, which it is told: by default float32 models run in bfloat16 where the
CPU has such instructions. float64 it computes in float32, so that is left out. It splits rows over threads,
but no array of one dimension, so that it is given as many rows as there are threads.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
import openvino
from openvino import opset13 as op

from bench.cases import Case

VALUES: dict[str, Callable[..., Any]] = {
    "sigmoid": op.sigmoid,
    "log_sigmoid": lambda x: op.negative(op.softplus(op.negative(x))),
    "softplus": op.softplus,
    "silu": lambda x: op.swish(x, one(x)),
    "tanh": op.tanh,
    "logit": lambda x: op.log(op.divide(x, op.subtract(one(x), x))),
    "log1mexp": lambda x: op.log(op.subtract(one(x), op.exp(x))),
    "softplus_inverse": lambda x: op.log(op.subtract(op.exp(x), one(x))),
    "bce_with_logits": lambda x, t: op.subtract(op.softplus(x), op.multiply(x, t)),
    "glu": lambda a, b: op.multiply(a, op.sigmoid(b)),
    "swiglu": lambda a, b: op.multiply(op.swish(a, one(a)), b),
}
"""It has neither log1p nor expm1."""

TYPES = {"float16": openvino.Type.f16, "bfloat16": openvino.Type.bf16, "float32": openvino.Type.f32}

_threads = 1


def one(x: Any) -> Any:
    return op.constant(1, x.get_element_type())


def set_threads(n: int) -> None:
    global _threads
    _threads = n


@cache
def core() -> Any:
    return openvino.Core()


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    value, kind = VALUES.get(case.function), TYPES.get(case.dtype)
    if value is None or kind is None or case.mode != "value" or case.layout not in ("out", "new"):
        return None
    shape = (_threads, -1) if inputs[0].size % _threads == 0 else inputs[0].shape
    rows = [array.reshape(shape) for array in (*inputs, outs[0])]
    request = compiled(case.function, kind, rows[0].shape, len(inputs), _threads).create_infer_request()
    for number, array in enumerate(rows[:-1]):
        request.set_input_tensor(number, bound(array, kind))
    if case.layout != "new":
        request.set_output_tensor(bound(rows[-1], kind))

    # with the arrays, which its tensors do not keep alive
    def run(held: tuple = (inputs, outs)) -> Any:
        results = request.infer(share_inputs=True, share_outputs=case.layout != "new")
        return results[0] if case.layout == "new" else held[1][0]

    return run


@lru_cache(64)
def compiled(name: str, kind: Any, shape: tuple[int, ...], operands: int, threads: int) -> Any:
    parameters = [op.parameter(shape, kind) for _ in range(operands)]
    model = openvino.Model([VALUES[name](*parameters)], parameters)
    options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": kind}
    return core().compile_model(model, "CPU", options)


def bound(array: np.ndarray, kind: Any) -> Any:
    """Return the tensor on an array's memory."""
    held = array.view(np.uint16) if kind == openvino.Type.bf16 else array
    return openvino.Tensor(held, openvino.Shape(held.shape), kind)
