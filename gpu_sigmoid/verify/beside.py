"""The operands beside x: targets, parameters, factors, and cotangents of vector-Jacobian products.

A label names a rule that makes such operands from x. Random operands are reproducible, since the label
seeds their generator.
"""

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np

from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.exact import arranged, depends_on_factor
from gpu_sigmoid.verify.units import UNITS

Rule = Callable[..., np.ndarray]
"""Makes operands from a function's name, x, a random generator, and the operands made before."""

SMOOTHING = (0.001, 0.01, 0.05, 0.1, 0.2)
ALL_PAIRS = "all in [0, 1]"
"""The label of 16-bit targets that are combined with every x."""
ALL_MANTISSAS = "all in [1, 2)"
"""The label of such 16-bit cotangents; all others are these times a power of two."""


def constant(value: float) -> Rule:
    return lambda name, x, rng, *more: np.full(x.shape, value)


def soft_labels(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    """Return hard labels smoothed for two to a thousand classes."""
    smoothing, classes = rng.choice(SMOOTHING, x.shape), rng.integers(2, 1001, x.shape)
    return rng.integers(0, 2, x.shape) * (1 - smoothing) + smoothing / classes


def near_ends(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    """Return targets down to subnormal ones, and equally near to 1."""
    tiny = np.exp2(rng.uniform(-1080 if x.dtype == np.float64 else -150, 0, x.shape))
    return np.where(rng.random(x.shape) < 0.7, tiny, 1 - np.exp2(rng.uniform(-54, 0, x.shape)))


def near_sigmoid(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    """Return sigmoid(x) or a neighbour, where the derivative cancels, with a pos_weight too."""
    away = rng.integers(-2, 3, x.shape) * 2.0 ** -UNITS[x.dtype.name].precision
    hit = FUNCTIONS["sigmoid"](x)
    for pos_weight in more:
        hit = np.where(pos_weight == 0, 1, hit / (hit + pos_weight * FUNCTIONS["sigmoid"](-x)))
    return np.clip(hit * (1 + away), 0, 1)


def outside(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    """Return targets outside [0, 1] with finite products with x and a pos_weight."""
    t = rng.normal(scale=4, size=x.shape) * np.exp2(rng.integers(0, 8, x.shape))
    t = np.where((t < 0) | (t > 1), t, 1 + t)
    overflows = np.isinf((x.astype(np.float64) * t).astype(x.dtype))
    return np.where(overflows, -0.5, t) if more else t


def any_beta(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    """Return betas of both signs, for products with x of all relevant sizes.

    If no promised beta has such a product, the nearest one is taken.
    """
    unit = UNITS[x.dtype.name]
    reach, least, most = (1040.0, -420, 510) if x.dtype == np.float64 else (129.0, -28, 62)
    drawn = (
        rng.uniform(-reach, reach, x.shape),
        rng.normal(scale=3, size=x.shape),
        np.exp2(rng.uniform(-60, 0, x.shape)) * rng.choice([-1, 1], x.shape),
    )
    beta = np.choose(rng.integers(0, 3, x.shape), drawn) / x.astype(np.float64)
    size = np.clip(np.abs(beta), 2.0 ** max(least, unit.least), 2.0 ** min(most, unit.overflow - 1))
    return np.copysign(size, beta)


def any_weight(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    drawn = np.exp2(rng.uniform(-12, 12, x.shape))
    return np.where(rng.random(x.shape) < 0.1, rng.integers(0, 3, x.shape), drawn)


def amplifying(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    """Return cotangents with products just below a power of two.

    There the derivative's relative error gives the most units in the product's last place.
    """
    return bringing_below_a_power_of_two(FUNCTIONS[name].grad(x, *more), rng)


def bringing_below_a_power_of_two(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return factors of y for products just below a power of two."""
    mantissa, _ = np.frexp(np.abs(y.astype(np.float64)))
    below = 1 - np.exp2(rng.uniform(-20, -2, y.shape))
    c = below / np.where(np.isfinite(mantissa) & (mantissa > 0), mantissa, 1.0)
    return np.where(rng.random(y.shape) < 0.5, c, -c)


def any_cotangent(name: str, x: np.ndarray, rng: np.random.Generator, *more: np.ndarray) -> np.ndarray:
    unit = UNITS[x.dtype.name]
    exponent = rng.uniform(unit.least, unit.overflow, x.shape)
    return np.exp2(exponent - 1) * rng.choice([-1.0, 1.0], x.shape)


def constants(name: str, *values: float) -> dict[str, Rule]:
    return {f"{name}{value:g}": constant(value) for value in values}


CONSTANT_TARGETS, CONSTANT_BETAS = constants("", 0.0, 1.0, 0.25, 0.9), constants("beta ", -1.7)

TARGETS: dict[str, Rule] = {
    **CONSTANT_TARGETS,
    "in [0, 1]": lambda name, x, rng, *more: rng.random(x.shape),
    "soft labels": soft_labels,
    "near 0 and 1": near_ends,
    "near sigmoid(x)": near_sigmoid,
    "outside [0, 1]": outside,
}
BETAS: dict[str, Rule] = {**CONSTANT_BETAS, "any beta": any_beta}
RULES = {"target": TARGETS, "beta": BETAS}
"""The rules by the name of the operand that is varied."""
ANY = {"target": TARGETS["in [0, 1]"], "beta": any_beta, "pos_weight": any_weight}
"""The rules for the operands that are not varied."""
CONSTANTS = {*CONSTANT_TARGETS, *CONSTANT_BETAS}
"""The labels of rules that give one number for all."""
COTANGENTS: dict[str, Callable[..., np.ndarray]] = {"amplifying": amplifying, "any": any_cotangent}


def others(name: str) -> tuple[str, ...]:
    """Return the operands of a function that go beside x; the first of them is varied."""
    return FUNCTIONS[name].operands[1:]


def rules(name: str) -> dict[str, Rule]:
    """Return the rules for the operand of a function that is varied, by label."""
    varied, *more = others(name)
    return {f"{label}{''.join(f', any {m}' for m in more)}": rule for label, rule in RULES[varied].items()}


def labels(name: str, mode: str, dtype: str, result: int = 0) -> tuple[str | None, ...]:
    """Return the labels for a result of a mode, (None,) if it depends only on x."""
    narrow = dtype in ("float16", "bfloat16")
    if DEFINITIONS[name].factor and mode != "vjp":
        if not depends_on_factor(name, mode, result):
            return (None,)
        return (ALL_MANTISSAS if narrow else "1", *COTANGENTS)
    if DEFINITIONS[name].factor:
        return tuple(COTANGENTS)
    if mode == "vjp":
        return (ALL_MANTISSAS, *COTANGENTS) if narrow and not others(name) else tuple(COTANGENTS)
    if not others(name):
        return (None,)
    if others(name) != ("target",):
        return tuple(rules(name))
    if mode == "grad2":
        # the target does not matter
        return ("0",)
    return (ALL_PAIRS, "outside [0, 1]") if narrow else tuple(TARGETS)


def beside(name: str, mode: str, label: str | None, x: np.ndarray, result: int = 0) -> tuple[np.ndarray, ...]:
    """Return the operands that go beside x, of its dtype."""
    rng = np.random.default_rng(crc32(f"{name} {label} {len(x)}".encode()))
    if DEFINITIONS[name].factor:
        with np.errstate(all="ignore"):
            return factors(name, mode, label, x, result, rng)
    if label is None:
        return ()
    with np.errstate(all="ignore"):
        varied = others(name)[: mode != "vjp"]
        found = [ANY[operand](name, x, rng).astype(x.dtype) for operand in others(name)[len(varied) :]]
        if varied:
            found.insert(0, rules(name)[label](name, x, rng, *found).astype(x.dtype))
        else:
            found.append(COTANGENTS[label](name, x, rng, *found).astype(x.dtype))
    return tuple(found)


def factors(
    name: str, mode: str, label: str | None, x: np.ndarray, result: int, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """Return a factor, and a cotangent for a vector-Jacobian product."""
    ones = np.ones_like(x)
    if label == "any":
        factor = any_factor(x, rng)
        if mode != "vjp":
            return (factor,)
        # beyond this, the product of both overflows before exp(-abs(x)) makes it small
        most = 2 * UNITS[x.dtype.name].overflow - 12 - np.log2(np.abs(factor.astype(np.float64)))
        return factor, any_factor(x, rng, most)
    if label != "amplifying":
        return (ones,)
    factor = rng.uniform(1, 2, x.shape).astype(x.dtype) if mode == "vjp" else ones
    results = FUNCTIONS[name].methods["grad" if mode == "vjp" else mode](*arranged(name, x, (factor,)))
    y = results[result] if isinstance(results, tuple) else results
    last = bringing_below_a_power_of_two(y, rng).astype(x.dtype)
    return (factor, last) if mode == "vjp" else (last,)


def any_factor(x: np.ndarray, rng: np.random.Generator, most: Any = np.inf) -> np.ndarray:
    unit = UNITS[x.dtype.name]
    exponent = rng.uniform(unit.least, np.minimum(unit.overflow, most), x.shape)
    return (np.exp2(exponent - 1) * rng.choice([-1.0, 1.0], x.shape)).astype(x.dtype)
