"""log(w) for w > 0, by its exponent: w = 2^k m, log(w) = k ln(2) + 2 atanh((m - 1) / (m + 1)).

Since numbers may be subnormal and their reciprocals overflow, they are multiplied by SCALE, a power of two.
"""

from gpu_sigmoid.formulas.coefficients import LN2_HIGH, LN2_LOW
from gpu_sigmoid.formulas.exponential import SIGNIFICAND_BITS
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import bits, fma, from_bits

SCALE = Constant(float32="0x1p32", float64="0x1p64")
RECIPROCAL_SCALE = Constant(float32="0x1p-32", float64="0x1p-64")
# The bits of a number just below what m starts from, about 0.7.
LOW_BITS = Constant(float32=0x3F300000, float64=0x3FE6 << 48)
# An exponent is kept positive by adding a half of the exponents' range.
OFFSET_BITS = Constant(float32=128 << 23, float64=1024 << 52)
BIAS_AND_OFFSET_BITS = Constant(float32=(127 + 128) << 23, float64=(1023 + 1024) << 52)
EXPONENT_MASK = Constant(float32=0xFF800000, float64=0xFFF << 52)
# Of 1.5 * 2^23 (2^52), which holds an integer in its low bits; and that number, with the offset and the
# exponent of SCALE.
INTEGER_HOLDER_BITS = Constant(float32=0x4B400000, float64=0x4338 << 48)
INTEGER_HOLDER = Constant(float32=1.5 * 2**23 + 128.0 + 32.0, float64=1.5 * 2**52 + 1024.0 + 64.0)


def exponent(scaled):
    """k and s = 2^-k / SCALE of a positive number multiplied by SCALE."""
    offset_bits = bits(scaled) - LOW_BITS + OFFSET_BITS
    k = from_bits((offset_bits >> SIGNIFICAND_BITS) + INTEGER_HOLDER_BITS) - INTEGER_HOLDER
    return k, from_bits(BIAS_AND_OFFSET_BITS - (offset_bits & EXPONENT_MASK))


def times_ln2(k):
    """k ln(2) as a double-double."""
    high = k * LN2_HIGH
    return high, fma(k, LN2_LOW, fma(k, LN2_HIGH, -high))
