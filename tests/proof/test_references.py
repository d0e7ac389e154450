"""The references that decide about errors, held against mpmath."""

from typing import Any

import numpy as np
import pytest
from helpers.samples import STRIDE, sample
from mpmath import mp, mpf

from gpu_sigmoid.modes import MEASURED
from gpu_sigmoid.verify import inputs
from gpu_sigmoid.verify.beside import ALL_PAIRS, beside, labels
from gpu_sigmoid.verify.exact import arranged, exact
from gpu_sigmoid.verify.pairs import PAIR, double_doubles, second_operands
from gpu_sigmoid.verify.parts import Part
from gpu_sigmoid.verify.reference import ERROR, REFERENCES


@pytest.mark.parametrize("name", MEASURED)
def test_float64_reference_is_as_exact_as_it_says(function: Any, name: str) -> None:
    """It decides about float32; mpmath decides about it, up to where float64 underflows itself."""
    results, _ = REFERENCES[function.__name__, name]
    chosen = [
        (k, label) for k in range(len(results)) for label in labels(function.__name__, name, "float32", k)
    ]
    for k, label in chosen:
        x = sample(Part(function.__name__, name, "float32", label, 0, inputs.PATTERNS, STRIDE))[::97]
        x = x[np.abs(x) < 300]
        more = beside(function.__name__, name, label, x, k)
        for operands in np.stack(arranged(function.__name__, x, more), axis=1).astype(np.float64):
            high, low, scale = results[k](*operands)
            truth, larger = exact(function.__name__, name, *operands, dtype="float32", result=k)
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
            high, low, _ = PAIR[ALL_PAIRS, name](*parts[:, i], operand, t)
            truth, larger = exact("bce_with_logits", name, operand, t)
            with mp.workprec(5000):
                # float64 holds nothing below 2^-1074
                assert abs(truth - high - low) <= max(larger * mpf(2) ** -100, mpf(1e-300))
