"""The references of functions with a factor, built from references of x alone."""

from collections.abc import Callable

from gpu_sigmoid.verify.reference.elementary import jit, s, slope
from gpu_sigmoid.verify.reference.of_x import (
    sigmoid_grad,
    sigmoid_grad2,
    sigmoid_value,
    silu_grad,
    silu_grad2,
    silu_value,
)


@jit
def silu_grad_by_terms(x):
    return silu_grad(x)[0], 0.0, max(s(x), abs(x) * slope(x))


@jit
def nothing(x):
    return 0.0, 0.0, 0.0


@jit
def times(factor, of):
    high, low, scale = of
    return factor * high, factor * low, abs(factor) * scale


def of_two(evaluate, place, multiplied):
    """Return a reference of x, in its place, and another operand, which it may be multiplied by."""
    if not multiplied:
        return jit((lambda a, b: evaluate(b)) if place else (lambda a, b: evaluate(a)))
    return jit((lambda a, b: times(a, evaluate(b))) if place else (lambda a, b: times(b, evaluate(a))))


PRODUCTS: dict[str, tuple[int, dict[str, tuple[tuple[Callable, bool], ...]]]] = {
    "glu": (
        1,
        {
            "value": ((sigmoid_value, True),),
            "grad": ((sigmoid_value, False), (sigmoid_grad, True)),
            "grad2": ((nothing, False), (sigmoid_grad, False), (sigmoid_grad2, True)),
        },
    ),
    "swiglu": (
        0,
        {
            "value": ((silu_value, True),),
            "grad": ((silu_grad_by_terms, True), (silu_value, False)),
            "grad2": ((silu_grad2, True), (silu_grad_by_terms, False), (nothing, False)),
        },
    ),
}
"""The place of x; and for each result what it is of x, and whether the other operand is its factor."""
OF_PRODUCTS = {
    (name, mode): tuple(of_two(evaluate, x, multiplied) for evaluate, multiplied in results)
    for name, (x, modes) in PRODUCTS.items()
    for mode, results in modes.items()
}
