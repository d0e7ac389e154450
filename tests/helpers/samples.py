"""Operands for measuring errors, where not all are tried."""

import numpy as np

from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.parts import Part

# coprime to 2: all exponents and all places of the significand are met
STRIDE = 20_011


def sample(part: Part) -> np.ndarray:
    """Return operands: a stride of all patterns and dense where results vary, or all of 16 bits."""
    x = part.operands
    if part.dtype == "float32":
        breakpoints = np.array(inputs.BREAKPOINTS, np.float32)
        around = np.concatenate([breakpoints * np.float32(1 + k * 2e-7) for k in range(-3, 4)])
        dense = np.random.default_rng(0).normal(scale=3, size=20_000).astype(np.float32)
        x = np.concatenate([x, dense, around, -around])
    return inputs.in_domain(part.name, x, part.mode)
