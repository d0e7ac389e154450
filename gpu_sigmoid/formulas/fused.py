"""a * b + c rounded once, from ordinary operations, for CPUs without such an instruction.

Except for the payload of a nan, the results equal the instruction's for every input. Everything is evaluated
in float64. `fused_in_range` and `fused` add the product's high part and c, then both low parts, rounded
to odd: the last addition rounds as if the sum were exact (S. Boldo and G. Melquiond, IEEE Trans.
Comput. 57, 2008).
"""

from gpu_sigmoid.formulas.double_double import two_sum_error
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, from_bits, where


def in_float64(value):
    return Constant(float32=0, float64=value)


UPPER_HALF, HALF_UNIT, SIGN = map(in_float64, (2**64 - 2**27, 2**26, 2**63))
LARGE_FACTOR, TO_OTHER, FROM_OTHER = map(in_float64, ("0x1p1000", "0x1p100", "0x1p-100"))
TINY, LARGE_ADDEND, HUGE = map(in_float64, ("0x1p-900", "0x1p900", "0x1p1021"))
LEAST, LARGEST = map(in_float64, ("0x1p-1074", "0x1.fffffffffffffp1023"))
UP, DOWN = map(in_float64, ("0x1p560", "0x1p-560"))
# the least normal number times UP * UP
LEAST_NORMAL, LEAST_NORMAL_BITS = map(in_float64, ("0x1p98", (1023 + 98) << 52))


def fused_narrow(a, b, c):
    """The number to be rounded to float32, if a, b and c are float32.

    The product is exact, and the sum is rounded to odd, so that another rounding does no harm.
    """
    return odd_sum(a * b, c)


def error_narrow(a, b, c):
    """The rounding error of that sum in float64."""
    product = a * b
    return two_sum_error(product, c, product + c)


def fused_in_range(a, b, c):
    """The result, and the size of the operands, which must be at least TINY unless a factor is 0.

    From TINY on the product's error is exact, or has no influence. An overflow, even in an intermediate
    result, does not leave a finite number.
    """
    product, product_low = exact_product(a, b)
    high = product + c
    result = high + odd_sum(two_sum_error(product, c, high), product_low)
    # the sum of two negative zeros is one
    return from_bits(bits(result) | (bits(high) & SIGN)), abs(product) + abs(c)


def fused(a, b, c):
    """The result for all operands, which powers of two keep in range."""
    # b's upper half is rounded up, which must not overflow
    is_large = abs(b) >= LARGE_FACTOR
    left = where(is_large, a * TO_OTHER, a)
    right = where(is_large, b * FROM_OTHER, b)
    product = a * b
    size = abs(product) + abs(c)
    is_tiny = size < TINY
    up = where(is_tiny, UP, 1.0)
    scale = where(size >= HUGE, 0.5, up)
    # of an addend that scaling down would round, only the sign matters
    scale_c = where(abs(c) < LARGE_ADDEND, up, scale)
    addend = c * scale_c * scale_c
    high_product, low_product = exact_product(left * scale, right * scale)

    high = high_product + addend
    low = odd_sum(two_sum_error(high_product, addend, high), low_product)
    total = high + low

    # Adding the least normal number rounds a subnormal result, since they have the same last place.
    bound = where(is_tiny, LEAST_NORMAL, 0.0)
    shift = where(abs(total) < bound, from_bits((bits(total) & SIGN) | LEAST_NORMAL_BITS), 0.0)
    shifted = shift + high
    rest = high - (shifted - shift)
    rounded = shifted + odd_sum(rest, low) - shift
    signed = from_bits(bits(rounded) | (bits(total) & SIGN))
    unscale = where(is_tiny, DOWN, where(size >= HUGE, 2.0, 1.0))

    # Zeros, infinities and nan are those of two operations. If c is infinite, the product of finite factors
    # must not overflow: (a - a) * b is 0 for them, otherwise nan.
    is_infinite = abs(c) + (a - a) * b > LARGEST
    special = where(is_infinite, c, product + c)
    return where(abs(total) > 0.0, signed * unscale * unscale, special)


def exact_product(a, b):
    """The product and its error, from halves of 26 bits, 27 for the lower one of a (T. J. Dekker, 1971)."""
    a_high = from_bits(bits(a) & UPPER_HALF)
    a_low = a - a_high
    b_high = from_bits((bits(b) + HALF_UNIT) & UPPER_HALF)
    b_low = b - b_high
    product = a * b
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def odd_sum(a, b):
    """The sum of two numbers, rounded to odd, with fewer operations than `round_to_odd` on the host."""
    total = a + b
    outwards = from_bits(bits(two_sum_error(a, b, total)) ^ (bits(total) & SIGN))
    truncated = where(outwards < 0.0, bits(total) - 1, bits(total))
    return from_bits(where(abs(outwards) >= LEAST, truncated | 1, truncated))
