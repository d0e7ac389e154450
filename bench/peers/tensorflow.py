"""TensorFlow: its operators, called eagerly or compiled by XLA, whichever took less time.

It has no `out=`: every call makes a new tensor. One operator is called eagerly; a value composed of several
too, up to where passes over memory cost more than the call of a compiled function, which takes 150
microseconds. Gradients are its tape's, compiled, except those that are an operator.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # read on import; it says much about the CPU

import tensorflow as tf

from bench.cases import Case
from bench.peers import OF_VALUE

tf.get_logger().setLevel("ERROR")  # it warns of compiling for every shape
raw, nn = tf.raw_ops, tf.nn

OPERATORS: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: raw.Sigmoid(x=x),
    "softplus": lambda x: raw.Softplus(features=x),
    "tanh": lambda x: raw.Tanh(x=x),
}
BACKWARD: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x, y, g: raw.SigmoidGrad(y=y, dy=g),
    "softplus": lambda x, y, g: raw.SoftplusGrad(gradients=g, features=x),
    "tanh": lambda x, y, g: raw.TanhGrad(y=y, dy=g),
}


@cache
def one(dtype: str) -> Any:
    # not when this is imported: with the first tensor the number of threads is settled
    return tf.constant(1, dtype)


EAGER: dict[str, Callable[..., Any]] = {
    "log_sigmoid": lambda x: raw.Neg(x=raw.Softplus(features=raw.Neg(x=x))),
    "silu": lambda x: raw.Mul(x=x, y=raw.Sigmoid(x=x)),
    "logit": lambda x: raw.Log(x=raw.Div(x=x, y=raw.Sub(x=one(x.dtype.name), y=x))),
    "log1mexp": lambda x: raw.Log1p(x=raw.Neg(x=raw.Exp(x=x))),
    "softplus_inverse": lambda x: raw.Log(x=raw.Expm1(x=x)),
    "glu": lambda a, b: raw.Mul(x=a, y=raw.Sigmoid(x=b)),
    "swiglu": lambda a, b: raw.Mul(x=raw.Mul(x=a, y=raw.Sigmoid(x=a)), y=b),
}
LARGE = 1_000_000
"""From this number of elements on the compiled function took less time, half of it at three million."""


COMPOSED: dict[str, Callable[..., Any]] = {
    "log_sigmoid": tf.math.log_sigmoid,
    "silu": nn.silu,
    "logit": lambda x: tf.math.log(x / (1 - x)),
    "log1mexp": lambda x: tf.math.log1p(-tf.exp(x)),
    "softplus_inverse": lambda x: tf.math.log(tf.math.expm1(x)),
    "bce_with_logits": lambda x, t: nn.sigmoid_cross_entropy_with_logits(labels=t, logits=x),
    "glu": lambda a, b: a * tf.sigmoid(b),
    "swiglu": lambda a, b: nn.silu(a) * b,
}


def set_threads(n: int) -> None:
    """Set the threads within an operator, and of operators side by side; before the first call only."""
    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    # its tensors have no strides, so it would get a contiguous copy
    if case.layout not in ("out", "new"):
        return None
    tensors = [tf.convert_to_tensor(a) for a in inputs]
    if case.function in OPERATORS and case.mode != "vjp":
        return eager(case, tensors[0])
    if case.function in EAGER and case.mode == "value" and case.size < LARGE:
        several = EAGER[case.function]
        return lambda: several(*tensors)
    if case.function not in {**OPERATORS, **COMPOSED} or case.mode not in (
        "value",
        "grad",
        "value_and_grad",
        "vjp",
    ):
        return None
    function = compiled(case.function, case.mode)
    return lambda: function(*tensors)


def eager(case: Case, x: Any) -> Callable[[], Any] | None:
    """Return an operator, or with its backward operator."""
    value, backward = OPERATORS[case.function], BACKWARD[case.function]
    if case.mode == "value":
        return lambda: value(x)
    ones = tf.ones_like(x)
    if case.mode == "grad":
        of_value = case.function in OF_VALUE
        return lambda: backward(x, value(x) if of_value else None, ones)

    def both() -> tuple[Any, Any]:
        y = value(x)
        return y, backward(x, y, ones)

    return both if case.mode == "value_and_grad" else None


@cache
def compiled(name: str, mode: str) -> Callable[..., Any]:
    """Return a function, or its gradients by a tape, compiled."""
    value = {**OPERATORS, **COMPOSED}[name]

    def pulled(operands: tuple, cotangent: Any = None) -> tuple:
        differentiated = operands[:1] if name == "bce_with_logits" else operands
        with tf.GradientTape() as tape:
            tape.watch(differentiated)
            y = value(*operands)
        return y, *tape.gradient(y, differentiated, output_gradients=cotangent)

    def computed(*operands: Any) -> Any:
        if mode == "value":
            return value(*operands)
        found = pulled(operands[:-1], operands[-1]) if mode == "vjp" else pulled(operands)
        results = found if mode == "value_and_grad" else found[1:]
        return results if len(results) > 1 else results[0]

    return tf.function(computed, jit_compile=True)
