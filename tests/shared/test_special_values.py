"""Limits, signs of zero, nan, symmetry, monotonicity, and silence."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import checked, computed
from helpers.floats import DTYPES, all_patterns, random_patterns
from helpers.methods import in_domain, operands, reads_first, single_results
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.exact import exact
from gpu_sigmoid.verify.units import UNITS

INF = np.inf
LIMITS = [(name, limit) for name, definition in DEFINITIONS.items() for limit in definition.limits]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "limit"), LIMITS, ids=str)
def test_limits(name: str, limit: tuple, dtype: str, backend: Backend) -> None:
    at, *wanted = limit
    method = FUNCTIONS[name].methods["value_and_grad"]
    got = computed(backend, method, *(np.array([x], DTYPES[dtype]) for x in at))
    for y, want in zip(got, wanted, strict=True):
        assert float(y[0]) == want
        assert np.signbit(float(y[0])) == np.signbit(want)


def test_silu_in_the_tail_is_a_normal_number(backend: Backend) -> None:
    ((got,),) = computed(backend, gs.silu, np.array([-90.0], np.float32))
    assert -got > np.finfo(np.float32).tiny
    error = UNITS["float32"].error(float(got), *exact("silu", "value", -90.0))
    assert error <= gs.silu.bounds["value", "float32"].ulp


@pytest.mark.parametrize("x", [-0.1, 1.1, INF, -INF, np.nan])
def test_logit_outside_its_domain(x: float, backend: Backend) -> None:
    for method in (gs.logit, gs.logit.grad, gs.logit.grad2):
        assert np.isnan(computed(backend, method, np.array([x]))).all()


LARGE_WEIGHT = pytest.mark.xfail(
    strict=True,
    reason="beyond x = 131 (float64: 1060) the formula takes softplus(-x) for a constant above 0, which a "
    "pos_weight beyond the promised range makes a loss that counts",
)


@pytest.mark.parametrize(
    ("dtype", "exponent"),
    [
        ("float32", 38),
        ("float64", 440),
        *(pytest.param("float32", e, marks=LARGE_WEIGHT) for e in (40, 127)),
        *(pytest.param("float64", e, marks=LARGE_WEIGHT) for e in (500, 1023)),
    ],
)
def test_an_infinite_logit_costs_nothing_whatever_a_hit_weighs(
    dtype: str, exponent: int, backend: Backend
) -> None:
    hosts = (np.array(a, dtype) for a in ([INF, -INF], [1.0, 0.0], [2.0**exponent] * 2))
    method = FUNCTIONS["bce_with_logits_pos_weight"]
    for got in computed(backend, method.methods["value_and_grad"], *hosts):
        np.testing.assert_array_equal(got, [0.0, 0.0])


EXPONENTS = {
    "float32": [(127, -120, 30), (100, -149, -12), (20, -149, -10), (127, -100, -100), (90, -40, 60)],
    "float64": [(1023, -900, 300), (900, -1074, -90), (90, -1074, -20), (1023, -800, -500), (900, -300, 400)],
}


@pytest.mark.parametrize("dtype", EXPONENTS)
def test_logit_target_and_weight_are_multiplied_without_over_or_underflow(
    dtype: str, backend: Backend
) -> None:
    """Products of two of them are infinite, or less than the least number; that of all three is exact."""
    exponents = np.array(EXPONENTS[dtype])
    x, target, weight = (np.ldexp(np.ones(5, dtype), e) for e in exponents.T)
    (value,) = computed(backend, FUNCTIONS["bce_with_logits_pos_weight"], -x, target, weight)
    np.testing.assert_array_equal(value, np.ldexp(np.ones(5, dtype), exponents.sum(axis=1)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_hit_of_infinite_weight_costs_infinitely_much(dtype: str, backend: Backend) -> None:
    x = np.array([-INF, -200.0, -1.0, 0.0, 1.0, 20.0, 200.0], DTYPES[dtype])
    method = FUNCTIONS["bce_with_logits_pos_weight"]
    for target in (0.25, 1.0):
        (got,) = computed(backend, method, x, *(np.full_like(x, other) for other in (target, INF)))
        assert (got == INF).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_nan_stays_and_nothing_warns(function: Any, name: str, dtype: str, backend: Backend) -> None:
    x = (
        random_patterns(20_000, 0)
        if dtype == "float64"
        else all_patterns(dtype, 251 if dtype != "float32" else 99_991)
    )
    x = np.concatenate([x, np.array([np.nan, INF, -INF, 0.0, -0.0, 1.0], DTYPES[dtype])])
    with np.errstate(all="raise"):
        results = computed(backend, function.methods[name], *operands(function, name, x))
    with np.errstate(invalid="ignore"):
        for y, one in zip(results, single_results(function.methods[name]), strict=True):
            assert np.isnan(y[np.isnan(x)]).all() or not reads_first(one)


SPECIAL = [0.0, -0.0, 0.5, 1.0, -1.0, 2.0, INF, -INF, np.nan]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_every_special_value_beside_every_other(
    function: Any, name: str, dtype: str, backend: Backend
) -> None:
    with np.errstate(all="ignore"):
        limits = ml_dtypes.finfo(DTYPES[dtype])
        extremes = [limits.max, limits.min, limits.tiny, limits.smallest_subnormal, limits.eps]
        numbers = np.array([*SPECIAL, *map(float, extremes)]).astype(DTYPES[dtype])
    method = function.methods[name]
    checked(backend, method, *(a.copy().reshape(-1) for a in np.meshgrid(*[numbers] * len(method.operands))))


# the fixture keeps nothing from one example to the next
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(x=st.floats(width=32, allow_nan=False))
def test_symmetry(x: float, backend: Backend) -> None:
    def at(method: Any, x: float) -> np.ndarray:
        return computed(backend, method, np.array([x], np.float32))[0]

    assert at(gs.sigmoid.grad, x) == at(gs.sigmoid.grad, -x)
    assert at(gs.sigmoid.grad2, x) == -at(gs.sigmoid.grad2, -x)
    assert at(gs.silu.grad2, x) == at(gs.silu.grad2, -x)
    assert at(gs.softplus, x) == -at(gs.log_sigmoid, -x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name, d in DEFINITIONS.items() if d.increasing])
def test_monotone(name: str, dtype: str, backend: Backend) -> None:
    def function(x: np.ndarray) -> np.ndarray:
        return computed(backend, FUNCTIONS[name], *operands(FUNCTIONS[name], "value", x))[0]

    patterns = (
        random_patterns(200_000, 1)
        if dtype == "float64"
        else all_patterns(dtype, 1 if dtype != "float32" else 20_011)
    )
    x = np.sort(in_domain(FUNCTIONS[name], patterns).astype(np.float64)).astype(DTYPES[dtype])
    y = function(x)
    wide = y.astype(np.float64)
    assert (np.diff(wide[np.isfinite(wide)]) >= 0).all()
    if DTYPES[dtype].itemsize > 2:
        neighbours = np.nextafter(x, x.dtype.type(np.inf))
        inside = neighbours < FUNCTIONS[name].domain[1]
        assert (y <= function(neighbours))[inside].all()
    if name == "sigmoid":
        assert ((y >= 0) & (y <= 1)).all()
