"""The largest error promised for each function.

The unit is the last place of the correct result (ULP), subnormal results included,
against the definition in higher precision. For second derivatives and for
`bce_with_logits`, which cancel near their zeros, it is the last place of the larger of
the terms they are the difference of. The tests hold every function to its bound.
"""

from dataclasses import dataclass

COMPONENTS = ("value", "grad", "grad2")
DTYPES = ("float32", "float64", "float16", "bfloat16")

TIGHT = {"float32": 1.0, "float64": 1.0, "float16": 0.5, "bfloat16": 0.5}
USUAL = {"float32": 2.5, "float64": 2.5, "float16": 0.51, "bfloat16": 0.51}


@dataclass(frozen=True)
class Bound:
    """A bound of the error, in ULP."""

    ulp: float


def bounds(**by_component: dict[str, float]) -> dict[tuple[str, str], Bound]:
    """Return the bound for each (component, dtype): USUAL but for those given."""
    return {
        (component, dtype): Bound(by_component.get(component, USUAL)[dtype])
        for component in COMPONENTS
        for dtype in DTYPES
    }


BOUNDS = {
    "sigmoid": bounds(value=TIGHT, grad=TIGHT),
    "log_sigmoid": bounds(value=TIGHT, grad=TIGHT, grad2=TIGHT),
    "softplus": bounds(value=TIGHT, grad=TIGHT, grad2=TIGHT),
    "silu": bounds(),
    "logit": bounds(),
    "bce_with_logits": bounds(),
}
