"""Samples of operands for measuring errors, where all would take too long."""

import numpy as np

from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.parts import Part

# coprime to 2: all exponents and all places of the significand are met
STRIDE = 20_011


def sample(part: Part) -> np.ndarray:
    """Return all 16-bit operands, or every STRIDE-th pattern and many where results vary most."""
    x = part.operands
    if part.dtype == "float32":
        breakpoints = np.array(inputs.BREAKPOINTS, np.float32)
        around = np.concatenate([breakpoints * np.float32(1 + k * 2e-7) for k in range(-3, 4)])
        dense = np.random.default_rng(0).normal(scale=3, size=20_000).astype(np.float32)
        x = np.concatenate([x, dense, around, -around])
    return inputs.in_domain(part.name, x, part.mode)
