"""Every function against its definition, in units in the last place, with no absolute tolerance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import computed
from helpers.samples import STRIDE, sample

import gpu_sigmoid as gs
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.registry import FUNCTIONS
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.beside import beside, labels
from gpu_sigmoid.verify.definitions import DEFINITIONS
from gpu_sigmoid.verify.exact import arranged, exact
from gpu_sigmoid.verify.measure import figures, figures_of_pairs
from gpu_sigmoid.verify.parts import Part, results_of
from gpu_sigmoid.verify.units import UNITS

# coprime to 2, as STRIDE
PAIRS_STRIDE = 1021
FLOAT64_COUNT = 500


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MEASURED)
def test_bound(function: Any, name: str, dtype: str, backend: Backend) -> None:
    def compute(*operands: np.ndarray) -> tuple[np.ndarray, ...]:
        arrays = np.broadcast_arrays(*operands)
        return computed(backend, function.methods[name], *(a.copy() for a in arrays))

    bound = function.bounds[name, dtype].ulp
    results = results_of(function.__name__, name)
    for result, label in [(r, label) for r in results for label in labels(function.__name__, name, dtype, r)]:
        part = Part(function.__name__, name, dtype, label, count=FLOAT64_COUNT, result=result)
        if part.of_pairs:
            part = replace(part, stop=1 << 16, stride=PAIRS_STRIDE)
            found = figures_of_pairs(part, inputs.in_domain(part.name, part.operands, name), compute)
        else:
            x = sample(replace(part, stop=inputs.PATTERNS, stride=STRIDE))
            more = beside(part.name, name, label, x, result)
            found = figures(part, x, more, compute(*arranged(part.name, x, more))[result])
        at = " ".join(operand.hex() for operand in found.at)
        print(f"result {result}, {label}: {found.ulp:.4f} ULP at {at}, {found.wrong} not the nearest")
        assert found.ulp <= bound
        assert found.violations == 0
        # a bound of one half promises the nearest result
        assert bound > 0.5 or found.wrong == 0


# x and beta whose product is silu's minimum but for 1e-13 (float64: 5e-22)
NEXT_TO_THE_MINIMUM = [
    ("float32", "0x1.02b466p-36", "-0x1.43dd8p+36"),
    ("float32", "0x1.367214p-10", "-0x1.0de34p+10"),
    ("float64", "-0x1.0d8f54347b908p+0", "0x1.36d2ba5e7c110p+0"),
]


@pytest.mark.parametrize(("dtype", "x", "beta"), NEXT_TO_THE_MINIMUM)
def test_an_exact_product_comes_nearer_to_silus_minimum_than_two_parts_of_it(
    dtype: str, x: str, beta: str, backend: Backend
) -> None:
    operands = [np.array([float.fromhex(o)], dtype) for o in (x, beta)]
    function = FUNCTIONS["silu_beta"]
    ((got,),) = computed(backend, function.grad, *operands)
    error = UNITS[dtype].error(float(got), *exact("silu_beta", "grad", *(float(o[0]) for o in operands)))
    assert error <= function.bounds["grad", dtype].ulp


def test_cotangents_meet_the_derivative_before_it_underflows(backend: Backend) -> None:
    for dtype, x, cotangent, far in (
        *((np.float32, x, 3e38, 200.0) for x in (130.0, 174.21)),
        *((np.float64, x, 1e308, 1500.0) for x in (744.0, 1416.33)),
    ):
        for name in ("sigmoid", "log_sigmoid", "softplus", "silu", "tanh"):
            for sign in (1, -1):
                operands = [np.array([sign * v / DEFINITIONS[name].decay], dtype) for v in (x, far)]
                c = np.array([cotangent], dtype)
                got, beyond = (computed(backend, FUNCTIONS[name].vjp, o, c)[0][0] for o in operands)
                truth, scale = exact(name, "vjp", operands[0][0], c[0])
                unit = UNITS[np.dtype(dtype).name]
                assert unit.error(float(got), truth, scale) <= FUNCTIONS[name].bounds["vjp", unit.name].ulp
                # the derivative is 1 on one side, on the other it is 0
                assert beyond in (0, c[0])


@pytest.mark.parametrize(
    ("dtype", "x", "weight", "cotangent"),
    [
        ("float32", 67.0, 2.0**31, 2.0**-54),
        ("float32", 2.0**-14, 14.5, 1e-39),
        ("float32", 140.0, 2.0**-30, 3e38),
        ("float64", 952.0, 2.0**375, 2.0**-24),
        ("float64", 2.0**-14, 14.5, 2e-311),
        ("bfloat16", 40.0, 2.0**34, 2.0**-93),
    ],
)
def test_a_cotangent_meets_the_weight_of_a_hit_without_underflow(
    dtype: str, x: float, weight: float, cotangent: float, backend: Backend
) -> None:
    name = "bce_with_logits_pos_weight"
    operands = [np.array([operand], numpy_dtype(dtype)) for operand in (x, 1.0, weight, cotangent)]
    got = computed(backend, FUNCTIONS[name].vjp, *operands)[0][0]
    truth, scale = exact(name, "vjp", *(operand[0] for operand in operands))
    assert UNITS[dtype].error(float(got), truth, scale) <= FUNCTIONS[name].bounds["vjp", dtype].ulp


@pytest.mark.parametrize(
    ("dtype", "x", "cotangent"),
    [
        ("float32", 1e-39, 1e-10),
        ("float32", 1e-10, 1e-45),
        ("float64", 1e-310, 1e-10),
        ("float64", 5e-324, 0.0),
    ],
)
def test_a_product_is_finite_where_logits_derivative_is_not(
    dtype: str, x: float, cotangent: float, backend: Backend
) -> None:
    operands = [np.array([v], dtype) for v in (x, cotangent)]
    ((got,),) = computed(backend, gs.logit.vjp, *operands)
    error = UNITS[dtype].error(float(got), *exact("logit", "vjp", *(o[0] for o in operands)))
    assert error <= gs.logit.bounds["vjp", dtype].ulp


@pytest.mark.parametrize("dtype", DTYPES)
def test_targets_outside_the_unit_interval(dtype: str, backend: Backend) -> None:
    inf, x, t = np.inf, *(np.array([v], UNITS[dtype].dtype) for v in (0.0, 2.0))
    assert not np.isnan(computed(backend, gs.bce_with_logits, x, t)).any()
    numbers = [0.0, 1.5, -2.0, inf, -inf]
    grid = [np.array(a).astype(UNITS[dtype].dtype) for a in np.meshgrid(numbers, numbers)]
    with np.errstate(all="ignore"):
        x, t = (a.astype(np.float64) for a in grid)
        (got,) = computed(backend, gs.bce_with_logits.grad, *grid)
        assert np.array_equal(np.isnan(got), np.isnan(1 / (1 + np.exp(-x)) - t))
