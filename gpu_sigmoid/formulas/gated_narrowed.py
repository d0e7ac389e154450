"""The value and the first derivatives of gated units for 16-bit results: `narrowed` has their parts."""

from gpu_sigmoid.formulas.coefficients import (
    SILU_MINIMUM_HIGH,
    SILU_MINIMUM_LOW,
    SILU_RECIPROCAL_BASE,
    SILU_ROOT,
)
from gpu_sigmoid.formulas.narrowed import (
    FARTHEST,
    far_magnitude,
    half_exponential,
    product_of_four,
    reciprocal,
)
from gpu_sigmoid.lowering.language import cotangent, fma, if_weighted, where


def narrowed_glu(a, b):
    """The value of glu, and its derivatives by a and by b.

    With e = exp(-abs(b)), the sigmoid is 1 / (1 + e), times e where b < 0, and its derivative e / (1 + e)^2.
    """
    power, expm1 = half_exponential(-far_magnitude(b))
    root = fma(power, expm1, power)
    y = reciprocal(fma(root, root, 1.0))
    factor = where(b < 0.0, root, 1.0)
    gate = y * factor
    slope_root = root * y
    return (
        a * gate * factor,
        if_weighted(cotangent() * gate, gate) * factor,
        if_weighted(product_of_four(a, cotangent(), slope_root, slope_root), a * slope_root * slope_root),
    )


def narrowed_swiglu(a, b):
    """The value of swiglu, and its derivatives by a and by b.

    With m = abs(a) and e = exp(-m), silu'(-m) = e / (1 + e)^2 (1 - m + e), and silu'(m) = 1 - silu'(-m). The
    last factor vanishes at silu's minimum -c, where exp(-c) = c - 1. With d = c - m it is
    d + exp(-c) (exp(d) - 1), two terms of the same sign. So the exponential is that of d.
    """
    bounded = where(a < -FARTHEST, -FARTHEST, a)
    d = (-SILU_MINIMUM_HIGH - far_magnitude(a)) - SILU_MINIMUM_LOW
    power, expm1 = half_exponential(d)
    scaled_power = power * SILU_ROOT
    root = fma(scaled_power, expm1, scaled_power)
    y = reciprocal(fma(root, root, 1.0))
    factor = where(a < 0.0, root, 1.0)
    silu = bounded * y * factor

    half_expm1 = fma(power, expm1, power - 1.0)
    bracket = fma(half_expm1 * (half_expm1 + 2.0), SILU_RECIPROCAL_BASE, d)
    slope_root = root * y
    left = slope_root * bracket
    grad = where(a < 0.0, left, fma(-slope_root, left, 1.0))
    last = where(a < 0.0, slope_root, 1.0)
    return (
        silu * b * factor,
        if_weighted(product_of_four(b, cotangent(), grad, last), grad * b * last),
        if_weighted(silu * cotangent(), silu) * factor,
    )
