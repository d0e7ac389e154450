"""The definitions in float64, in forms that do not cancel: for operands of at most 32 bits.

Their relative error is a few units of 2^-53; the tests measure it against `exact`, and `ERROR` bounds it.
So errors in units of float32 are known to 2^-26 of a unit. mpmath decides what that leaves open, whether a
result next to the middle of two floats is the nearer one.

- `elementary`: their building blocks
- `of_x`: functions of x alone; `parameters`: of a target or a parameter too; `products`: with a factor

Each returns (high, low, scale): the result; the part of it that float64 cannot hold, to some digits, if
that decides between neighbours for millions of operands (0: unknown); and the larger term (0: the result
itself), see `exact.larger_term`.
"""

from collections.abc import Callable

from gpu_sigmoid.verify.reference.elementary import jit
from gpu_sigmoid.verify.reference.of_x import OF_X
from gpu_sigmoid.verify.reference.parameters import OF_THREE, OF_TWO
from gpu_sigmoid.verify.reference.products import OF_PRODUCTS, times

ERROR = 2.0**-50

# The least normal number of float32, in which 16-bit results are computed too.
LEAST_NORMAL = 2.0**-126


def vjp_of(grad, least=0.0):
    """Return the reference of grad times a cotangent; a larger term is at least the number `least`."""

    @jit
    def vjp(*operands):
        high, _, scale = grad(*operands[:-1])
        cotangent = operands[-1]
        return cotangent * high, 0.0, abs(cotangent) * max(abs(high), scale, least)

    return vjp


def vjp_of_product(grad):
    return jit(lambda a, b, c: times(c, grad(a, b)))


REFERENCES: dict[tuple[str, str], tuple[tuple[Callable, ...], int]] = {
    **{key: ((evaluate,), 1) for key, evaluate in OF_X.items()},
    **{key: ((evaluate,), 2) for key, evaluate in OF_TWO.items()},
    **{key: ((evaluate,), 3) for key, evaluate in OF_THREE.items()},
    **{key: (results, 2) for key, results in OF_PRODUCTS.items()},
    **{(name, "vjp"): ((vjp_of(grad),), 2) for (name, mode), grad in OF_X.items() if mode == "grad"},
    **{
        (name, "vjp"): ((vjp_of(grad, LEAST_NORMAL if name == "bce_with_logits" else 0.0),), 3)
        for (name, mode), grad in OF_TWO.items()
        if mode == "grad"
    },
    **{
        (name, "vjp"): ((vjp_of(grad, LEAST_NORMAL),), 4)
        for (name, mode), grad in OF_THREE.items()
        if mode == "grad"
    },
    **{
        (name, "vjp"): (tuple(map(vjp_of_product, grads)), 3)
        for (name, mode), grads in OF_PRODUCTS.items()
        if mode == "grad"
    },
}
"""The references of each mode's results, and their number of operands."""
