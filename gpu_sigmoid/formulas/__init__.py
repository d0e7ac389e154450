"""Every formula, once.

A public formula takes its arguments and returns its jet: the value, the first and the
second derivative with respect to the first argument. A kernel takes the components it
needs and the compiler drops the rest. What may stand in a formula is said in
`gpu_sigmoid.lowering.subset`; how the result of each operation is the same on every
target, in `gpu_sigmoid.lowering.primitives`. What several formulas need stands in
`parts`, fitted constants in `coefficients`.
"""

from gpu_sigmoid.formulas.logistic import bce_with_logits, log_sigmoid, sigmoid, softplus
from gpu_sigmoid.formulas.logit import logit
from gpu_sigmoid.formulas.silu import silu

__all__ = ["bce_with_logits", "log_sigmoid", "logit", "sigmoid", "silu", "softplus"]
