"""Derivatives by targets and parameters, which the rules of torch and JAX rest on, against mpmath."""

from typing import Any

import mpmath
import pytest
from helpers.calls import sample
from mpmath import mp

from gpu_sigmoid.dtypes import DTYPES
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
