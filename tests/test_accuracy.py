"""Every function against its definition, in units in the last place, with no absolute tolerance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from components import component
from conftest import Backend
from mpmath import mp, mpf

import gpu_sigmoid as gs
from gpu_sigmoid.dtypes import DTYPES
from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.beside import ALL_PAIRS, beside, labels
from gpu_sigmoid.verify.definitions import exact
from gpu_sigmoid.verify.measure import Part, figures, figures_of_pairs
from gpu_sigmoid.verify.pairs import PAIR, double_doubles, second_operands
from gpu_sigmoid.verify.reference import ERROR, REFERENCES
from gpu_sigmoid.verify.units import UNITS

# coprime to 2: all exponents and all places of the significand are met
STRIDE, PAIRS_STRIDE = 20_011, 1021
FLOAT64_COUNT = 500


def sample(part: Part) -> np.ndarray:
    """Return operands: a stride of all patterns and dense where results vary, or all of 16 bits."""
    x = part.operands
    if part.dtype == "float32":
        turns = np.array(inputs.TURNS, np.float32)
        around = np.concatenate([turns * np.float32(1 + k * 2e-7) for k in range(-3, 4)])
        dense = np.random.default_rng(0).normal(scale=3, size=20_000).astype(np.float32)
        x = np.concatenate([x, dense, around, -around])
    return inputs.in_domain(part.name, x, part.component)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MEASURED)
def test_bound(function: Any, name: str, dtype: str, backend: Backend) -> None:
    def compute(*operands: np.ndarray) -> np.ndarray:
        arrays = np.broadcast_arrays(*operands)
        result = component(function, name)(*(backend.to_device(a.copy()) for a in arrays))
        assert isinstance(result, backend.array_type)
        return backend.to_host(result)

    bound = function.bounds[name, dtype].ulp
    for label in labels(function.__name__, name, dtype):
        part = Part(function.__name__, name, dtype, label, count=FLOAT64_COUNT)
        if part.of_pairs:
            part = replace(part, stop=1 << 16, stride=PAIRS_STRIDE)
            found = figures_of_pairs(part, inputs.in_domain(part.name, part.operands, name), compute)
        else:
            x = sample(replace(part, stop=inputs.PATTERNS, stride=STRIDE))
            more = beside(part.name, name, label, x)
            found = figures(part, x, more, compute(x, *more))
        at = " ".join(operand.hex() for operand in found.at)
        print(f"{label}: {found.ulp:.4f} ULP at {at}, {found.wrong} of {found.points} not the nearest")
        assert found.ulp <= bound
        assert found.violations == 0
        # one half is a promise: the nearest, always
        assert bound > 0.5 or found.wrong == 0


@pytest.mark.parametrize("name", MEASURED)
def test_float64_reference_is_as_exact_as_it_says(function: Any, name: str) -> None:
    """It decides about float32; mpmath decides about it, up to where float64 underflows itself."""
    evaluate, _ = REFERENCES[function.__name__, name]
    for label in labels(function.__name__, name, "float32"):
        x = sample(Part(function.__name__, name, "float32", label, 0, inputs.PATTERNS, STRIDE))[::97]
        x = x[np.abs(x) < 300]
        more = beside(function.__name__, name, label, x)
        for operands in np.stack([x, *more], axis=1).astype(np.float64):
            high, low, scale = evaluate(*operands)
            truth, larger = exact(function.__name__, name, *operands, dtype="float32")
            with mp.workprec(2000):
                assert low == 0 or abs(truth - high - low) <= abs(low) / 1000
                assert abs(truth - high) <= ERROR * max(abs(high), scale, larger)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["value", "grad"])
def test_reference_for_pairs_is_exact(name: str, dtype: str) -> None:
    x = inputs.in_domain("bce_with_logits", inputs.all_of(dtype))[::251]
    parts = double_doubles("bce_with_logits", name, x)
    targets = second_operands(ALL_PAIRS, dtype)
    rng = np.random.default_rng(0)
    for i, operand in enumerate(x.astype(np.float64)):
        for t in rng.choice(targets, 5).astype(np.float64):
            high, low, _ = PAIR[name](*parts[:, i], operand, t)
            truth, larger = exact("bce_with_logits", name, operand, t)
            with mp.workprec(5000):
                # float64 holds nothing below 2^-1074
                assert abs(truth - high - low) <= max(larger * mpf(2) ** -100, mpf(1e-300))


def test_cotangents_meet_the_derivative_before_it_underflows(backend: Backend) -> None:
    for dtype, x, cotangent, far in ((np.float32, 130.0, 3e38, 200.0), (np.float64, 744.0, 1e300, 1500.0)):
        for name in ("sigmoid", "log_sigmoid", "softplus", "silu"):
            for sign in (1, -1):
                operands = [np.array([sign * v], dtype) for v in (x, far)]
                c = np.array([cotangent], dtype)
                got, beyond = (
                    backend.to_host(gs.FUNCTIONS[name].vjp(backend.to_device(o), backend.to_device(c)))[0]
                    for o in operands
                )
                truth, scale = exact(name, "vjp", operands[0][0], c[0])
                unit = UNITS[np.dtype(dtype).name]
                assert unit.error(float(got), truth, scale) <= gs.FUNCTIONS[name].bounds["vjp", unit.name].ulp
                # the derivative is 1 on one side, on the other it is 0
                assert beyond in (0, c[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_targets_outside_the_unit_interval(dtype: str) -> None:
    inf, x, t = np.inf, *(np.array([v], UNITS[dtype].dtype) for v in (0.0, 2.0))
    assert not np.isnan(gs.bce_with_logits(x, t)).any()
    numbers = [0.0, 1.5, -2.0, inf, -inf]
    grid = [np.array(a).astype(UNITS[dtype].dtype) for a in np.meshgrid(numbers, numbers)]
    with np.errstate(all="ignore"):
        x, t = (a.astype(np.float64) for a in grid)
        assert np.array_equal(np.isnan(gs.bce_with_logits.grad(*grid)), np.isnan(1 / (1 + np.exp(-x)) - t))
