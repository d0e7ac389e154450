"""Products of a number in two parts with one factor or two, rounded once.

A factor may be large where the rest underflows, and the product with it be a normal number. Of two
factors one that is below 1 is therefore multiplied in last: what has underflowed before it is then
lost to the product too. The number in two parts is not to exceed 1, so that nothing overflows before
the product does.
"""

from gpu_sigmoid.formulas.double_double import odd_if_narrowed
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import fma, if_weighted, where

LARGEST = Constant(float32="0x1.fffffep+127", float64="0x1.fffffffffffffp+1023")


def in_order(a, b):
    """The factors a and b in the order in which they are multiplied in."""
    b_is_small = abs(b) < 1.0
    return where(b_is_small, a, b), where(b_is_small, b, a)


def product(x, x_low, factor):
    """(x + x_low) * factor in two parts."""
    high = x * factor
    return high, fma(x_low, factor, fma(x, factor, -high))


def corrected_product(x, correction, factor):
    """x * (1 + correction) * factor in two parts, to first order in the correction."""
    high = x * factor
    return high, fma(high, correction, fma(x, factor, -high))


def times(x, x_low, factor):
    """(x + x_low) * factor; a zero's sign is kept but beside a cotangent, where that would take longer."""
    return plus(x, factor, if_weighted(x_low * factor, -fma(-x_low, factor, 0.0)))


def times_pair(x, x_low, factor, factor_low):
    """(x + x_low) * (factor + factor_low)"""
    return plus(x, factor, -fma(-x, factor_low, fma(-x_low, factor, 0.0)))


def plus(x, factor, low):
    """x * factor + low, which is small. A product that is 0 keeps its sign beside a low part of -0.0.

    A low part that overflows, or that an infinite factor makes nan, is made finite: the product is
    infinity then, or the nan of 0 times infinity.
    """
    bounded_above = where(low < LARGEST, low, LARGEST)
    bounded = where(bounded_above > -LARGEST, bounded_above, -LARGEST)
    high = fma(x, factor, bounded)
    return odd_if_narrowed(high, fma(x, factor, -high) + bounded)
