"""Every function against its definition, in ULP, with no absolute tolerance."""

from typing import Any

import numpy as np
import pytest
from components import JET, TARGETS, component, in_domain, takes_target
from conftest import Backend
from floats import DTYPES, all_patterns, error_in_ulp, nearest, random_patterns
from reference import jet

# where a range reduction, a selection or a zero of some derivative lies
EDGES = [
    0.5,
    0.34657359,
    0.6931472,
    1.0397208,
    1.2784645,
    2.3993573,
    0.0625,
    1.0,
    16.6,
    88.7,
    103.9,
    709.8,
    744.4,
]


def sample(function: Any, dtype: str, seed: int) -> np.ndarray:
    """Return inputs over all exponents, over the range where the results vary, and at edges."""
    rng = np.random.default_rng(seed)
    spread = 745 if dtype == "float64" else 104
    patterns = random_patterns(600, seed) if dtype == "float64" else all_patterns(dtype, stride=7_158_279)
    edges = np.array(
        [sign * edge * (1 + k * 2e-7) for edge in EDGES for sign in (1, -1) for k in range(-2, 3)]
    )
    x = [patterns, rng.normal(scale=3, size=700), rng.uniform(-spread, spread, 400), rng.random(600), edges]
    x.append(-1.2784645427610738 + rng.normal(scale=1e-3, size=100))
    with np.errstate(over="ignore", invalid="ignore"):
        return in_domain(function, np.concatenate([a.astype(DTYPES[dtype]) for a in x]))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("index", range(len(JET)), ids=JET)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bound(function: Any, dtype: str, index: int, target: float, backend: Backend) -> None:
    if not takes_target(function) and target != TARGETS[0]:
        pytest.skip("the function takes no target")
    x = sample(function, dtype, seed=index)
    arguments = (x, np.full_like(x, target)) if takes_target(function) else (x,)
    got = backend.to_host(component(function, JET[index])(*map(backend.to_device, arguments)))
    bound = function.bounds[JET[index], dtype].ulp
    worst = max(
        (error_in_ulp(y, *jet(function.__name__, index, *a), dtype), *map(float, a))
        for y, *a in zip(got, *arguments, strict=True)
    )
    print(f"\n{function.__name__} {JET[index]} {dtype}: {worst[0]:.3f} ULP at {worst[1:]}")
    assert worst[0] <= bound, f"{worst[0]} ULP at {worst[1:]}"


@pytest.mark.parametrize("index", range(len(JET)), ids=JET)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_all_16_bit_inputs(function: Any, dtype: str, index: int, backend: Backend) -> None:
    x = in_domain(function, all_patterns(dtype))
    # float64 is within 2.5 ULP of exact: it decides all roundings but those next to a tie
    with np.errstate(all="ignore"):
        wide = (x.astype(np.float64), 0.25) if takes_target(function) else (x.astype(np.float64),)
        reference = component(function, JET[index])(*wide)
        got = component(function, JET[index])(x, *wide[1:])
        rounded = reference.astype(np.float64 if dtype == "float64" else DTYPES[dtype])
    different = np.flatnonzero(got.view(np.uint16) != rounded.view(np.uint16))
    bound = function.bounds[JET[index], dtype].ulp
    wrong = 0
    for i in different:
        exact, scale = jet(function.__name__, index, float(x[i]), *wide[1:])
        if float(got[i]) != nearest(exact, dtype):
            wrong += 1
            assert error_in_ulp(float(got[i]), exact, scale, dtype) <= bound, (x[i], got[i], float(exact))
    print(f"\n{function.__name__} {JET[index]} {dtype}: {wrong} of {len(x)} not correctly rounded")
    if bound == 0.5:
        assert wrong == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_float64_decides_16_bit_roundings(function: Any, dtype: str) -> None:
    """The shortcut above is sound where float64 and mpmath agree on a sample."""
    x = in_domain(function, all_patterns(dtype))[::211]
    arguments = (x, np.full_like(x, 0.25)) if takes_target(function) else (x,)
    got = function(*(a.astype(np.float64) for a in arguments)).astype(DTYPES[dtype])
    for y, *a in zip(got, *arguments, strict=True):
        assert float(y) == nearest(jet(function.__name__, 0, *a)[0], dtype)
