"""Every function against its definition, in units in the last place, with no absolute tolerance."""

from typing import Any

import numpy as np
import pytest
from components import component
from conftest import Backend
from mpmath import mp

from gpu_sigmoid.bounds import COMPONENTS, DTYPES
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.definitions import exact
from gpu_sigmoid.verify.measure import Part, figures
from gpu_sigmoid.verify.reference import ERROR, REFERENCES

# coprime to 2: all exponents and all places of the significand are met
STRIDE = 20_011
FLOAT64_COUNT = 500


def sample(part: Part) -> np.ndarray:
    """Return operands: a stride of all patterns and dense where results vary, or all of 16 bits."""
    x = part.operands
    if part.dtype == "float32":
        turns = np.array(inputs.TURNS, np.float32)
        around = np.concatenate([turns * np.float32(1 + k * 2e-7) for k in range(-3, 4)])
        dense = np.random.default_rng(0).normal(scale=3, size=20_000).astype(np.float32)
        x = np.concatenate([x, dense, around, -around])
    return inputs.in_domain(part.name, x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", COMPONENTS)
def test_bound(function: Any, name: str, dtype: str, backend: Backend) -> None:
    for target in inputs.targets(function.__name__):
        part = Part(
            function.__name__, name, dtype, target, backend.name, 0, inputs.PATTERNS, STRIDE, FLOAT64_COUNT
        )
        x = sample(part)
        more = () if target is None else (np.asarray(target, x.dtype),)
        on_device = [backend.to_device(np.broadcast_to(a, x.shape).copy()) for a in (x, *more)]
        result = component(function, name)(*on_device)
        assert isinstance(result, backend.array_type)
        found = figures(part, x, more, backend.to_host(result))
        bound = function.bounds[name, dtype].ulp
        print(f"{found.ulp:.4f} ULP at {found.x.hex()}, {found.wrong} of {found.points} not the nearest")
        assert found.ulp <= bound
        assert found.violations == 0
        # one half is a promise: the nearest, always
        assert bound > 0.5 or found.wrong == 0


@pytest.mark.parametrize("name", COMPONENTS)
def test_float64_reference_is_as_exact_as_it_says(function: Any, name: str) -> None:
    """It decides about float32; mpmath decides about it, up to where float64 underflows itself."""
    evaluate = REFERENCES[function.__name__, name]
    x = sample(Part(function.__name__, name, "float32", None, "", 0, inputs.PATTERNS, STRIDE))[::97]
    x = x[np.abs(x) < 700]
    for target in inputs.targets(function.__name__):
        more = () if target is None else (float(np.float32(target)),)
        for operand in x.astype(np.float64):
            high, low, scale = evaluate(operand, *more)
            truth, larger = exact(function.__name__, name, operand, *more)
            with mp.workprec(2000):
                assert low == 0 or abs(truth - high - low) <= abs(low) / 1000
                assert abs(truth - high) <= ERROR * max(abs(high), scale, larger)
