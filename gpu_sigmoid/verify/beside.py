"""What goes beside x: targets, and the cotangents of vector-Jacobian products.

A label names a rule that makes such operands from x. Random ones repeat: their generator is
seeded by the label.
"""

from collections.abc import Callable
from zlib import crc32

import numpy as np

from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.verify.units import UNITS

Rule = Callable[[str, np.ndarray, np.random.Generator], np.ndarray]

SMOOTHING = (0.001, 0.01, 0.05, 0.1, 0.2)
ALL_PAIRS = "all in [0, 1]"
"""The label of 16-bit targets that are gone over pair by pair."""
ALL_MANTISSAS = "all in [1, 2)"
"""The label of 16-bit cotangents that are: others are these times a power of two."""


def constant(value: float) -> Rule:
    return lambda name, x, rng: np.full(x.shape, value)


def soft_labels(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return hard labels smoothed for two to a thousand classes."""
    smoothing, classes = rng.choice(SMOOTHING, x.shape), rng.integers(2, 1001, x.shape)
    return rng.integers(0, 2, x.shape) * (1 - smoothing) + smoothing / classes


def near_ends(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return targets down to subnormal ones, and as near to 1."""
    tiny = np.exp2(rng.uniform(-1080 if x.dtype == np.float64 else -150, 0, x.shape))
    return np.where(rng.random(x.shape) < 0.7, tiny, 1 - np.exp2(rng.uniform(-54, 0, x.shape)))


def near_sigmoid(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return sigmoid(x) or one of its neighbours, where the derivative cancels."""
    away = rng.integers(-2, 3, x.shape) * np.finfo(x.dtype).eps / 2
    return np.clip(FUNCTIONS["sigmoid"](x) * (1 + away), 0, 1)


def outside(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    t = rng.normal(scale=4, size=x.shape) * np.exp2(rng.integers(0, 8, x.shape))
    return np.where((t < 0) | (t > 1), t, 1 + t)


def amplifying(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return cotangents with products just below a power of two.

    There the derivative's relative error is the most units in the product's last place.
    """
    more = (np.full_like(x, 0.25),) if takes_target(name) else ()
    mantissa, _ = np.frexp(np.abs(FUNCTIONS[name].grad(x, *more).astype(np.float64)))
    below = 1 - np.exp2(rng.uniform(-20, -2, x.shape))
    c = below / np.where(np.isfinite(mantissa) & (mantissa > 0), mantissa, 1.0)
    return np.where(rng.random(x.shape) < 0.5, c, -c)


def any_cotangent(name: str, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    unit = UNITS[x.dtype.name]
    exponent = rng.uniform(unit.least, unit.overflow, x.shape)
    return np.exp2(exponent - 1) * rng.choice([-1.0, 1.0], x.shape)


CONSTANTS: dict[str, Rule] = {f"{t:g}": constant(t) for t in (0.0, 1.0, 0.25, 0.9)}
TARGETS: dict[str, Rule] = {
    **CONSTANTS,
    "in [0, 1]": lambda name, x, rng: rng.random(x.shape),
    "soft labels": soft_labels,
    "near 0 and 1": near_ends,
    "near sigmoid(x)": near_sigmoid,
    "outside [0, 1]": outside,
}
COTANGENTS: dict[str, Rule] = {"amplifying": amplifying, "any": any_cotangent}


def takes_target(name: str) -> bool:
    return "target" in FUNCTIONS[name].operands


def labels(name: str, mode: str, dtype: str) -> tuple[str | None, ...]:
    """Return the rules to go over for a mode, (None,) where x is its only operand."""
    narrow = dtype in ("float16", "bfloat16")
    if mode == "vjp":
        return (ALL_MANTISSAS, *COTANGENTS) if narrow and not takes_target(name) else tuple(COTANGENTS)
    if not takes_target(name):
        return (None,)
    if mode == "grad2":
        # the target drops out
        return ("0",)
    return (ALL_PAIRS, "outside [0, 1]") if narrow else tuple(TARGETS)


def beside(name: str, mode: str, label: str | None, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the operands that go beside x, of its dtype."""
    if label is None:
        return ()
    rng = np.random.default_rng(crc32(f"{name} {label} {len(x)}".encode()))
    rules = [TARGETS["in [0, 1]"]] if mode == "vjp" and takes_target(name) else []
    rules.append(COTANGENTS[label] if mode == "vjp" else TARGETS[label])
    with np.errstate(all="ignore"):
        return tuple(rule(name, x, rng).astype(x.dtype) for rule in rules)
