"""Modules with the signatures, state and names of torch.nn's that compute with this library.

They are subclasses of torch's, so that type checks, printing and saved states keep working.
Gradients keep their relative accuracy where torch's round to 0. An export to ONNX, which has a
fixed set of operators, contains torch's operators.

They differ from torch's in three more ways. Integers and booleans are accepted and give
floating-point results. If logits and targets have different dtypes, the loss has the dtype that
both are promoted to, not the target's. silu(-inf) is -0.0, not nan. `torch.jit.script`, which torch
has deprecated, does not compile these modules; `torch.compile`, `torch.export` and
`torch.jit.trace` do.

The examples need `import torch` and `from gpu_sigmoid.torch import nn`.
"""

import torch
from torch import Tensor

import gpu_sigmoid as gs
from gpu_sigmoid.torch.functional import binary_cross_entropy, packed, silu_in_place

__all__ = ["GLU", "BCEWithLogitsLoss", "LogSigmoid", "SiLU", "Sigmoid", "Softplus", "SwiGLU", "Tanh"]

# each appears as one call in torch.fx's graphs
for _name in ("binary_cross_entropy", "packed", "silu_in_place"):
    torch.fx.wrap(_name)

# softplus(x) and x are the same float32 from 17 on, and the same float64 from 37 on
LEAST_THRESHOLD = 20.0


def in_onnx_export() -> bool:
    # the call imports torch.onnx at first, and then takes as long as torch's sigmoid each time
    if torch.compiler.is_compiling() or torch._C._get_tracing_state():
        return torch.onnx.is_in_onnx_export()
    return False


class Sigmoid(torch.nn.Sigmoid):
    """The sigmoid, elementwise.

    Examples
    --------
    >>> nn.Sigmoid()(torch.tensor([-100.0, 0.0]))
    tensor([3.7835e-44, 5.0000e-01])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return sigmoid(input)."""
        return super().forward(input) if in_onnx_export() else gs.sigmoid(input)


class Tanh(torch.nn.Tanh):
    """The hyperbolic tangent, elementwise.

    Examples
    --------
    >>> nn.Tanh()(torch.tensor([-1.0, 0.0]))
    tensor([-0.7616,  0.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return tanh(input)."""
        return super().forward(input) if in_onnx_export() else gs.tanh(input)


class LogSigmoid(torch.nn.LogSigmoid):
    """The logarithm of the sigmoid, elementwise.

    Examples
    --------
    >>> nn.LogSigmoid()(torch.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return log(sigmoid(input))."""
        return super().forward(input) if in_onnx_export() else gs.log_sigmoid(input)


class Softplus(torch.nn.Softplus):
    """The softplus, log(1 + exp(beta x)) / beta.

    The product of beta, in the input's dtype, and x is not rounded.

    Parameters
    ----------
    beta : float or torch.Tensor
        The steepness, as in torch; a parameter is trained.
    threshold : float
        Where torch's softplus switches to x. This one needs no threshold and ignores it; the
        argument exists so that signatures agree. Values from 20 on are accepted, since there
        torch's results change by less than 2e-9; a smaller one is a ValueError.

    Examples
    --------
    >>> nn.Softplus(beta=2.0)(torch.tensor([-40.0, 1.0]))
    tensor([9.0243e-36, 1.0635e+00])
    """

    def __init__(self, beta: float = 1.0, threshold: float = LEAST_THRESHOLD) -> None:
        if threshold < LEAST_THRESHOLD:
            raise ValueError(
                f"this softplus is accurate for all x and has no threshold: instead of {threshold} leave it "
                "at its default, or use torch.nn.Softplus"
            )
        super().__init__(beta, threshold)

    def forward(self, input: Tensor) -> Tensor:
        """Return softplus(beta * input) / beta."""
        if in_onnx_export():
            return super().forward(input)
        # a tensor may require a gradient, at 1 too
        plain = not isinstance(self.beta, Tensor) and self.beta == 1.0
        return gs.softplus(input) if plain else gs.softplus(input, beta=self.beta)


class SiLU(torch.nn.SiLU):
    """The sigmoid linear unit, x sigmoid(x), elementwise.

    Examples
    --------
    >>> nn.SiLU()(torch.tensor([-100.0, 1.0]))
    tensor([-3.7204e-42,  7.3106e-01])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return silu(input), written to `input` if the module is in place."""
        if in_onnx_export():
            return super().forward(input)
        return silu_in_place(input) if self.inplace else gs.silu(input)


class GLU(torch.nn.GLU):
    """The gated linear unit of the two halves of an axis: a sigmoid(b).

    Examples
    --------
    >>> nn.GLU()(torch.tensor([1.0, 2.0, -100.0, 0.0]))
    tensor([3.7835e-44, 1.0000e+00])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return glu of the halves of `input` along `dim`."""
        return super().forward(input) if in_onnx_export() else packed("glu", input, self.dim)


class SwiGLU(torch.nn.Module):
    """The gated unit of silu of the two halves of an axis: silu(a) b. The gate, a, is the first half.

    Parameters
    ----------
    dim : int
        The axis, as in torch.nn.GLU.

    Examples
    --------
    >>> nn.SwiGLU()(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor([2.1932, 7.0464])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return swiglu of the halves of `input` along `dim`."""
        if not in_onnx_export():
            return packed("swiglu", input, self.dim)
        a, b = input.chunk(2, self.dim)
        return torch.nn.functional.silu(a) * b

    def extra_repr(self) -> str:
        """Return the text within the parentheses of the printed module."""
        return f"dim={self.dim}"


class BCEWithLogitsLoss(torch.nn.BCEWithLogitsLoss):
    """The binary cross-entropy of logits, with torch's weights and reductions.

    Nothing cancels for targets in [0, 1], and gradients do not round to 0. An infinite logit on
    the side of a target of 0 or 1 costs 0, with a `pos_weight` too. Targets may be booleans or
    integers.

    Examples
    --------
    >>> nn.BCEWithLogitsLoss()(torch.tensor([-3.0, 2.0]), torch.tensor([0.0, 1.0]))
    tensor(0.0878)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits `input` for `target`, with the module's reduction."""
        if in_onnx_export():
            return super().forward(input, target)
        return binary_cross_entropy(input, target, self.weight, self.pos_weight, self.reduction)
