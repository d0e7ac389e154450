"""The operands that errors are measured on."""

from functools import cache
from typing import Any

import numpy as np

from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.units import UNITS

PATTERNS = 1 << 32

# Points where a formula switches methods, or a result is zero, overflows or underflows.
BREAKPOINTS = (
    *(0.0625, 0.25, 0.5, 0.9296875, 1.0, 1.0278, 1.25, 1.2784645427610738, 1.5278, 2.3993572805154676),
    *(16.0, 16.6, 17.3, 36.0, 36.7, 37.5, 87.3, 88.7, 103.9, 110.0, 708.4, 709.8, 744.4, 745.1, 760.0),
)


def in_domain(name: str, x: np.ndarray, mode: str = "value") -> np.ndarray:
    """Return the finite operands among x with finite results.

    A product with a cotangent, or another factor, is 0 where the derivative is below 2^-252, in float64
    2^-2044.
    """
    definition, domain = DEFINITIONS[name], FUNCTIONS[name].domain
    low, high = domain
    if definition.factor or (mode == "vjp" and not np.isfinite(low)):
        largest = (1416.0 if x.dtype == np.float64 else 174.0) / definition.decay
        low, high = (largest * tail for tail in (definition.tails if mode != "grad2" else (-1, 1)))
        low, high = max(low, domain[0]), min(high, domain[1])
    with np.errstate(invalid="ignore"):
        return x[(x > low) & (x < high)]


def patterns(start: int, stop: int, stride: int) -> np.ndarray:
    """Return the float32 numbers whose bits are start, start + stride, ... below stop."""
    return np.arange(start, stop, stride, dtype=np.int64).astype(np.uint32).view(np.float32)


@cache
def all_of(dtype: str) -> np.ndarray:
    """Return all numbers of a 16-bit format."""
    return np.arange(1 << 16, dtype=np.uint16).view(UNITS[dtype].dtype)


def chosen(name: str, count: int) -> np.ndarray:
    """Return about `count` float64 operands: of all exponents, dense where results vary, at breakpoints."""
    rng = np.random.default_rng(0)
    part = count // 8
    bits = rng.integers(0, 1 << 64, part, dtype=np.uint64).view(np.float64)
    reduced = np.arange(1, 2150) * (np.log(2) / 2)
    edges: list[Any] = [np.exp2(np.arange(-1074.0, 11)), reduced, np.array(BREAKPOINTS)]
    around = np.concatenate(edges)
    nearby = np.nextafter(np.concatenate([around, around]), np.repeat([0.0, np.inf], len(around)))
    near_zero_of_slope = -1.2784645427610738 + rng.normal(size=part) * np.exp2(rng.uniform(-50, -2, part))
    logarithmic = np.exp2(rng.uniform(-60, 10, part))
    positive = np.concatenate([around, nearby, logarithmic])
    halves = 0.5 + np.concatenate([-logarithmic, logarithmic]) / 2048
    everywhere = [
        bits,
        positive,
        -positive,
        near_zero_of_slope,
        halves,
        rng.normal(scale=3, size=2 * part),
        rng.uniform(-745, 745, part),
        rng.random(part),
    ]
    if name == "softplus_inverse":
        everywhere.append(np.log(2) + rng.normal(size=part) * np.exp2(rng.uniform(-50, -2, part)))
    if name == "logit":
        everywhere += [rng.random(3 * part), 1 - np.exp2(rng.uniform(-53, -1, part))]
    x = np.unique(in_domain(name, np.concatenate(everywhere)))
    return x if len(x) <= count else np.sort(rng.choice(x, count, replace=False))
