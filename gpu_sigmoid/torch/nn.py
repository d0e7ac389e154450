"""Modules with the signatures, the state and the names of torch.nn's, on this library's functions.

They are subclasses of torch's, so that checks by type, printing and saved states go on
working. Gradients keep their relative accuracy where torch's round to 0.
"""

import torch
from torch import Tensor

import gpu_sigmoid as gs

__all__ = ["BCEWithLogitsLoss", "LogSigmoid", "SiLU", "Sigmoid", "Softplus"]

# softplus(x) and x are the same float32 from 17 on, and the same float64 from 37 on
LEAST_THRESHOLD = 20.0


class Sigmoid(torch.nn.Sigmoid):
    """The sigmoid, elementwise."""

    def forward(self, input: Tensor) -> Tensor:
        """Return sigmoid(input)."""
        return gs.sigmoid(input)


class LogSigmoid(torch.nn.LogSigmoid):
    """The logarithm of the sigmoid, elementwise."""

    def forward(self, input: Tensor) -> Tensor:
        """Return log(sigmoid(input))."""
        return gs.log_sigmoid(input)


class Softplus(torch.nn.Softplus):
    """The softplus, log(1 + exp(beta x)) / beta, exact for all x.

    Parameters
    ----------
    beta : float
        As torch's.
    threshold : float
        Where torch's goes over to x. Ours needs none and does not use it; it is taken
        so that signatures agree, from 20 on, which changes torch's results by less than
        2e-9. Below, ours would not be what was asked for: a ValueError.
    """

    def __init__(self, beta: float = 1.0, threshold: float = LEAST_THRESHOLD) -> None:
        if threshold < LEAST_THRESHOLD:
            raise ValueError(
                f"this softplus is exact for all x and has no threshold: {threshold} cannot be had; leave it "
                "at its default, or take torch.nn.Softplus"
            )
        super().__init__(beta, threshold)

    def forward(self, input: Tensor) -> Tensor:
        """Return softplus(beta * input) / beta."""
        return gs.softplus(input) if self.beta == 1.0 else gs.softplus(input * self.beta) / self.beta


class SiLU(torch.nn.SiLU):
    """The sigmoid linear unit, x sigmoid(x), elementwise."""

    def forward(self, input: Tensor) -> Tensor:
        """Return silu(input), written to `input` if the module is in place."""
        if not self.inplace:
            return gs.silu(input)
        if torch.is_grad_enabled() and input.requires_grad:
            # the gradient needs the input as it was
            return input.copy_(gs.silu(input.clone()))
        return gs.silu(input, out=input)


class BCEWithLogitsLoss(torch.nn.BCEWithLogitsLoss):
    """The binary cross-entropy of logits, with torch's weights and reductions.

    No cancellation for targets in [0, 1], and gradients that do not round to 0.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits `input` for `target`, reduced as the module says."""
        if input.shape != target.shape:
            raise ValueError(f"target has shape {tuple(target.shape)}, the logits {tuple(input.shape)}")
        if self.pos_weight is None:
            loss = gs.bce_with_logits(input, target)
        else:
            hit, miss = gs.softplus(-input), gs.softplus(input)
            loss = self.pos_weight * target * hit + (1 - target) * miss
        if self.weight is not None:
            loss = loss * self.weight
        if self.reduction == "none":
            return loss
        return loss.mean() if self.reduction == "mean" else loss.sum()
