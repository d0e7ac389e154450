"""Double-double arithmetic: two floats `a` and `a_low` stand for the unevaluated sum a + a_low.

It is normalized if a is the sum rounded to nearest, so that abs(a_low) is at most half of a's last
place. References: T. J. Dekker, Numer. Math. 18, 1971; J.-M. Muller et al., Handbook of
Floating-Point Arithmetic, 2nd ed. 2018, chapters 4 and 5.
"""

from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits, if_narrowed, where

SIGN_BIT = Constant(float32=31, float64=63)
SIGN_MASK = Constant(float32=1 << 31, float64=1 << 63)


def two_sum_error(a, b, total):
    """The exact error of total = a + b, for operands in any order (Knuth's two-sum)."""
    part = total - a
    return (a - (total - part)) + (b - part)


def fast_two_sum(high, low):
    """The same number, normalized, for example after a cancellation in high.

    Exact if abs(low) <= abs(high) or high is 0 (Dekker's fast two-sum); otherwise the second part is
    accurate to a few places. If low is nan, as it is with an infinite high, high is kept.
    """
    total = where(abs(low) > 0.0, high + low, high)
    return total, low - (total - high)


def multiply(a, a_low, b, b_low):
    """The product of two double-doubles; the relative error is some 2^-2p for p bits of precision."""
    crossed = fma(a, b_low, a_low * b)
    high = fma(a, b, crossed)
    return high, fma(a, b, -high) + crossed


def multiply_add(a, b, low, c):
    """a * b + low + c as a double-double; requires abs(c) >= abs(a * b), or c = 0, or an exact sum.

    The sum may be below half of c, and then the rounding error of an fma is not a float.
    """
    product = a * b
    total = product + c
    return total, ((c - total) + product) + (fma(a, b, -product) + low)


def round_to_odd(high, low):
    """A normalized double-double, rounded to odd: to the neighbour whose last bit is 1, unless exact.

    Rounding the result again, to nearest with at least two bits fewer, equals one rounding of the exact
    sum (S. Boldo and G. Melquiond, IEEE Trans. Comput. 57, 2008). Rounding high itself would mistake a
    tie that the first rounding created for a true one.

    It works on high's bits and therefore requires a normalized operand: abs(low) at most half of high's
    last place, and low 0 if high is 0. A low that is nan, as it is with an infinite high, counts as 0.
    """
    pattern = bits(high)
    towards_zero = (pattern ^ bits(low)) >> SIGN_BIT
    odd = (pattern - towards_zero) | 1
    return from_bits(where(abs(low) > 0.0, odd, pattern))


def odd_if_narrowed(high, low):
    """The double-double rounded to odd if a rounding to 16 bits follows, otherwise its high part."""
    return if_narrowed(round_to_odd(high, low), high)


def rounded(high, low):
    """The double-double, which need not be normalized, rounded once."""
    total = high + low
    return odd_if_narrowed(total, (high - total) + low)
