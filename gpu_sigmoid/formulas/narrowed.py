"""Parts of results that will be rounded again, to 16 bits, and do not cancel.

An error of 2^-21 moves a float16 result by 0.001 units in the last place beyond the half of its own rounding,
a bfloat16 result by an eighth of that. So there are no low parts here, the exponential's reduction takes one
step, and the reciprocal no division.

exp(-m) is the square of exp(-m / 2), which is in range for all m that matter. A result is multiplied by that
twice: nothing needs a scale, and only the last product underflows.
"""

from gpu_sigmoid.formulas.coefficients import EXP2M1_RATIO, LOG2_E, RECIPROCAL_SEED
from gpu_sigmoid.formulas.exponential import ROUND, SIGNIFICAND_BITS, magnitude_within
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits, polynomial, where

# Where the power of exp(-m / 2), which would be 2^-127 or 2^-1023, is zero; from 253 (2045) ln(2) on it is.
# Products with the largest bfloat16 factors that are lost are below 2^-124.
FARTHEST = Constant(float32="0x1.616p+7", float64="0x1.62ap+10")
HALF_LOG2_E = 0.5 * LOG2_E


def half_exponential(x):
    """power, expm1: exp(x / 2) = power * (1 + expm1); expm1 is accurate where x is near zero, too."""
    shifted = fma(x, HALF_LOG2_E, ROUND)
    n = shifted - ROUND
    f = fma(x, HALF_LOG2_E, -n)
    return from_bits(bits(shifted) << SIGNIFICAND_BITS), f * polynomial(f, EXP2M1_RATIO)


def far_magnitude(x):
    """abs(x) up to where exp(-abs(x) / 2) is zero; nan stays nan."""
    return magnitude_within(x, FARTHEST)


def reciprocal(x):
    """1 / x for x in [1, 2]: a polynomial, whose relative error e falls to e^3.

    On CPUs that is several times as fast as a division, and on GPUs not slower.
    """
    seed = polynomial(x, RECIPROCAL_SEED)
    e = fma(-x, seed, 1.0)
    return fma(seed, fma(e, e, e), seed)


def product_of_four(a, b, first, second):
    """a * b * first * second, for first and second in [-1.1, 1.1], and normal numbers or zero.

    Of a and b, the smaller is multiplied after one of them if it is below 1, and first after it: otherwise
    the product of both might overflow although that of all does not, or a part of it underflow.
    """
    a_is_smaller = abs(a) < abs(b)
    larger = where(a_is_smaller, b, a)
    smaller = where(a_is_smaller, a, b)
    is_small = abs(smaller) < 1.0
    factor = where(is_small, 1.0, first)
    last = where(is_small, first, 1.0)
    return (larger * second) * (smaller * factor) * last
