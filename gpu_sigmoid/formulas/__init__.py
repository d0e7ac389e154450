"""Every formula, once.

A public formula takes its operands and returns its jet: the value, the first derivatives with respect
to each differentiable operand, and the second derivatives for each pair of them, in the order of
`gpu_sigmoid.modes`. A kernel takes those it needs and the compiler drops the rest.
`gpu_sigmoid.lowering.subset` says what a formula may contain, and `gpu_sigmoid.lowering.primitives` why
the result of each operation is the same on every target.

- `logistic`, `silu`, `tanh`, `logit`, `log1mexp`, `gated`: the public formulas
- `steepness`: the formulas of a product beta * x; `pos_weight`: that of a weighted cross-entropy
- `log_expm1`, `narrowed`, `gated_narrowed`: forms of less accuracy, for results that need no more
- `exponential`: exp(abs(x)), scaled so that it and its reciprocal stay in range
- `logarithm`: the parts of a logarithm, for numbers of any size
- `quotients`: functions of the exponential that need one division
- `products`: multiplication by factors, with a single rounding; `products_with_steepness`: by beta
- `double_double`: arithmetic on unevaluated sums of two floats
- `fused`: a * b + c rounded once, for CPUs without such an instruction
- `coefficients`: fitted constants
"""

from gpu_sigmoid.formulas.gated import glu, swiglu
from gpu_sigmoid.formulas.log1mexp import log1mexp, softplus_inverse
from gpu_sigmoid.formulas.logistic import bce_with_logits, log_sigmoid, sigmoid, softplus
from gpu_sigmoid.formulas.logit import logit
from gpu_sigmoid.formulas.pos_weight import bce_with_logits_pos_weight
from gpu_sigmoid.formulas.silu import silu
from gpu_sigmoid.formulas.steepness import silu_beta, softplus_beta
from gpu_sigmoid.formulas.tanh import tanh

__all__ = [
    "bce_with_logits",
    "bce_with_logits_pos_weight",
    "glu",
    "log1mexp",
    "log_sigmoid",
    "logit",
    "sigmoid",
    "silu",
    "silu_beta",
    "softplus",
    "softplus_beta",
    "softplus_inverse",
    "swiglu",
    "tanh",
]
