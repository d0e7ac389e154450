"""ONNX Runtime: a graph of one operator, bound to the operands' memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from bench.cases import Case

OPERATORS = {"sigmoid": "Sigmoid", "softplus": "Softplus", "tanh": "Tanh"}
TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}

_threads = 1


def set_threads(n: int) -> None:
    global _threads
    _threads = n


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    operator, kind = OPERATORS.get(case.function), TYPES.get(case.dtype)
    if operator is None or kind is None or case.mode != "value" or case.layout != "out":
        return None
    node = helper.make_node(operator, ["x"], ["y"])
    x, y = (helper.make_tensor_value_info(name, kind, inputs[0].shape) for name in "xy")
    model = helper.make_model(helper.make_graph([node], "one", [x], [y]), ir_version=8)
    model.opset_import[0].version = 17
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads
    # otherwise its threads would keep spinning on the CPUs during other libraries' turns
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        return None
    binding = session.io_binding()
    for bind, name, array in ((binding.bind_input, "x", inputs[0]), (binding.bind_output, "y", outs[0])):
        bind(name, "cpu", 0, np.dtype(case.dtype), array.shape, array.ctypes.data)
    result = outs[0]

    def run() -> Any:
        session.run_with_iobinding(binding)
        return result

    return run
