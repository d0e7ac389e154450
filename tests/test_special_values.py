"""Limits, signs of zero, nan, symmetry, monotonicity, and silence."""

from typing import Any

import numpy as np
import pytest
from components import COMPONENTS, as_tuple, component, in_domain, operands
from floats import DTYPES, all_patterns, random_patterns
from hypothesis import given
from hypothesis import strategies as st

import gpu_sigmoid as gs
from gpu_sigmoid.verify.definitions import exact
from gpu_sigmoid.verify.units import UNITS

INF = np.inf
LIMITS = [
    (gs.sigmoid, -INF, 0.0, 0.0),
    (gs.sigmoid, INF, 1.0, 0.0),
    (gs.log_sigmoid, -INF, -INF, 1.0),
    (gs.log_sigmoid, INF, -0.0, 0.0),
    (gs.softplus, -INF, 0.0, 0.0),
    (gs.softplus, INF, INF, 1.0),
    (gs.silu, -INF, -0.0, -0.0),
    (gs.silu, INF, INF, 1.0),
    (gs.silu, -0.0, -0.0, 0.5),
    (gs.silu, 0.0, 0.0, 0.5),
    (gs.logit, 0.0, -INF, INF),
    (gs.logit, 0.5, 0.0, 4.0),
    (gs.logit, 1.0, INF, INF),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "x", "value", "grad"), LIMITS)
def test_limits(function: Any, x: float, value: float, grad: float, dtype: str) -> None:
    got = function.value_and_grad(np.array([x], DTYPES[dtype]))
    for y, want in zip(got, (value, grad), strict=True):
        assert float(y[0]) == want
        assert np.signbit(float(y[0])) == np.signbit(want)


def test_silu_in_the_tail_is_a_normal_number() -> None:
    got = gs.silu(np.float32(-90.0))
    assert -got > np.finfo(np.float32).tiny
    error = UNITS["float32"].error(float(got), *exact("silu", "value", -90.0))
    assert error <= gs.silu.bounds["value", "float32"].ulp


@pytest.mark.parametrize("x", [-0.1, 1.1, INF, -INF, np.nan])
def test_logit_outside_its_domain(x: float) -> None:
    assert all(np.isnan(y) for y in (gs.logit(x), gs.logit.grad(x), gs.logit.grad2(x)))


def test_infinite_logit_on_the_right_side_costs_nothing() -> None:
    np.testing.assert_array_equal(gs.bce_with_logits([INF, -INF, INF], [1.0, 0.0, 0.5]), [0.0, 0.0, INF])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", COMPONENTS)
def test_nan_stays_and_nothing_warns(function: Any, name: str, dtype: str) -> None:
    x = (
        random_patterns(20_000, 0)
        if dtype == "float64"
        else all_patterns(dtype, 251 if dtype != "float32" else 99_991)
    )
    x = np.concatenate([x, np.array([np.nan, INF, -INF, 0.0, -0.0, 1.0], DTYPES[dtype])])
    arguments = operands(function, name, x)
    with np.errstate(all="raise"):
        result = component(function, name)(*arguments)
    with np.errstate(invalid="ignore"):
        for y in as_tuple(result):
            assert np.isnan(y[np.isnan(x)]).all()


@given(st.floats(width=32, allow_nan=False))
def test_symmetry(x: float) -> None:
    a, b = np.float32(x), np.float32(-x)
    assert gs.sigmoid.grad(a) == gs.sigmoid.grad(b)
    assert gs.sigmoid.grad2(a) == -gs.sigmoid.grad2(b)
    assert gs.silu.grad2(a) == gs.silu.grad2(b)
    assert gs.softplus(a) == -gs.log_sigmoid(b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sigmoid", "log_sigmoid", "softplus", "logit"])
def test_monotone(name: str, dtype: str) -> None:
    function = gs.FUNCTIONS[name]
    patterns = (
        random_patterns(200_000, 1)
        if dtype == "float64"
        else all_patterns(dtype, 1 if dtype != "float32" else 20_011)
    )
    x = np.sort(in_domain(function, patterns).astype(np.float64)).astype(DTYPES[dtype])
    assert (np.diff(function(x).astype(np.float64)[np.isfinite(function(x).astype(np.float64))]) >= 0).all()
    if DTYPES[dtype].itemsize > 2:
        neighbours = np.nextafter(x, x.dtype.type(np.inf))
        assert (function(x) <= function(neighbours))[neighbours < 1 if name == "logit" else slice(None)].all()
    if name == "sigmoid":
        assert ((function(x) >= 0) & (function(x) <= 1)).all()
