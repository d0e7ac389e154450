"""Products of a number in two parts with one factor or two, rounded once.

A factor may be large where the rest underflows, so that the product is a normal number. If one of two
factors is below 1, it is therefore multiplied in last: anything that underflows before it is then too small
for the product as well. The number in two parts must not exceed 1, so that nothing overflows before the
product does.
"""

from gpu_sigmoid.formulas.double_double import odd_if_narrowed
from gpu_sigmoid.lowering.constants import LARGEST
from gpu_sigmoid.lowering.language import fma, if_weighted, where


def in_order(a, b):
    """The factors a and b in the order of multiplication."""
    b_is_small = abs(b) < 1.0
    return where(b_is_small, a, b), where(b_is_small, b, a)


def product(x, x_low, factor):
    """(x + x_low) * factor in two parts."""
    high = x * factor
    return high, fma(x_low, factor, fma(x, factor, -high))


def corrected_product(x, correction, factor):
    """x * (1 + correction) * factor, rounded once, to first order in the correction.

    An infinite factor makes the rest of the product nan; the product is then the result. The difference
    keeps the sign of zero.
    """
    high = x * factor
    excess = fma(-x, factor, high)
    return where(excess == excess, high - fma(-high, correction, excess), high)


def changed_product(x, change, factor):
    """The same with a change that is not small."""
    changed = fma(x, change, x)
    return plus(changed, factor, fma(x, change, x - changed) * factor)


def times(x, x_low, factor):
    """(x + x_low) * factor; keeps the sign of zero except with a cotangent, where that would take longer."""
    return plus(x, factor, if_weighted(x_low * factor, -fma(-x_low, factor, 0.0)))


def times_pair(x, x_low, factor, factor_low):
    """(x + x_low) * (factor + factor_low)"""
    return plus(x, factor, -fma(-x, factor_low, fma(-x_low, factor, 0.0)))


def plus(x, factor, low):
    """x * factor + low, with a small low. A product of 0 keeps its sign if the low part is -0.0.

    A low part that overflows, or that is nan because of an infinite factor, is made finite: the product is
    then infinity, or the nan of 0 times infinity.
    """
    bounded_above = where(low < LARGEST, low, LARGEST)
    bounded = where(bounded_above > -LARGEST, bounded_above, -LARGEST)
    high = fma(x, factor, bounded)
    return odd_if_narrowed(high, fma(x, factor, -high) + bounded)
