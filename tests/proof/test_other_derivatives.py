"""Derivatives by targets and parameters, which the rules of torch and JAX rest on, against mpmath."""

from typing import Any

import mpmath
import numpy as np
import pytest
from helpers.calls import sample
from mpmath import mp

from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.units import UNITS

ONE_BY_ONE = [m for f in FUNCTIONS.values() for m in f.methods.values() if len(m.mode.partials) == 1]
METHODS = [m for m in ONE_BY_ONE if max(m.mode.partials[0], default=0) >= m.signature.gradients]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_other_derivatives(method: Any, dtype: str) -> None:
    unit, (partial,) = UNITS[dtype], method.mode.partials
    operands = sample(method, unit.dtype, 60)
    definition = DEFINITIONS[method.function.name].value
    orders = tuple(partial.count(i) for i in range(len(method.signature.operands)))
    bound = 0.51 if unit.dtype.itemsize == 2 else 4.0
    for *at, got in zip(*operands, method(*operands), strict=True):
        point = [mpmath.mpf(float(o)) for o in at]
        weight = point.pop() if method.mode.weighted else mpmath.mpf(1)
        with mp.workdps(60):
            exact = weight * mpmath.diff(definition, tuple(point), orders)
            # where terms cancel, in last places of the larger, which the operands are of the size of
            scale = max(abs(exact), abs(weight) * min(1, abs(point[0])) / 4)
            assert unit.error(float(got), exact, scale) <= bound, (at, float(got), exact)


@pytest.mark.parametrize(
    ("name", "dtype", "x", "beta", "cotangent"),
    [
        ("silu_beta", "float32", 2.0**60, -(2.0**-54), 2.0**-120),
        ("silu_beta", "float32", 2.0**60, -(2.0**-54), 2.0**70),
        ("silu_beta", "float32", 2.0**-60, 2.0**55, 2.0**127),
        ("silu_beta", "float64", 2.0**300, -(2.0**-291), 2.0**-500),
        ("silu_beta", "bfloat16", 2.0**60, -(2.0**-54), 2.0**-120),
        ("softplus_beta", "float32", 2.0**33, 2.0**-28, 2.0**-110),
        ("softplus_beta", "float32", 2.0**34, 2.0**-28, 2.0**110),
        ("softplus_beta", "float64", 2.0**428, 2.0**-420, 2.0**-800),
    ],
)
def test_products_of_the_derivative_by_beta_neither_over_nor_underflow_early(
    name: str, dtype: str, x: float, beta: float, cotangent: float
) -> None:
    (method,) = (m for m in METHODS if m.function.name == name and m.mode.weighted)
    (got,) = method(*(np.array([operand], numpy_dtype(dtype)) for operand in (x, beta, cotangent)))
    with mp.workprec(3000):
        z, length, unit = mpmath.mpf(beta) * x, mpmath.mpf(x), 1 / mpmath.mpf(beta)
        s = 1 / (1 + mpmath.exp(-z))
        by_beta = {
            "silu_beta": length**2 * s * (1 - s),
            "softplus_beta": unit**2 * (z * s - mpmath.log(1 + mpmath.exp(z))),
        }
        exact = cotangent * by_beta[name]
        assert UNITS[dtype].error(float(got), exact, exact) <= (0.51 if dtype == "bfloat16" else 4.0)
