"""Functions of E = exp(abs(x)) with one division: 1 / (1 + E), log(1 + 1 / E), tanh(abs(x) / 2).

E is given as in `exponential`, multiplied by scale: power + step * ratio, and low. Keeping the low parts
of the quotient costs a few additions and reduces the error from 2.4 units in the last place to under 0.9.
If the error of the division were ignored, a slower exponential would gain nothing.
"""

from gpu_sigmoid.formulas.coefficients import ATANH_TAIL_LOG1P, LN2_HIGH, LN2_LOW, LOG_COSH
from gpu_sigmoid.formulas.double_double import multiply, two_sum_error
from gpu_sigmoid.formulas.exponential import SCALE_EXPONENT
from gpu_sigmoid.lowering.constants import Constant
from gpu_sigmoid.lowering.language import (
    bits,
    fma,
    from_bits,
    if_narrowed,
    if_weighted,
    polynomial,
    times_cotangent,
    where,
)

# Subtracting the bits of 2^n, or of scale * 2^n, from these leaves those of 2^-n.
BITS_OF_RECIPROCAL = Constant(float32=2 * 127 << 23, float64=2 * 1023 << 52)
BITS_OF_RECIPROCAL_SCALED = Constant(
    float32=(2 * 127 + SCALE_EXPONENT[0]) << 23, float64=(2 * 1023 + SCALE_EXPONENT[1]) << 52
)


def reciprocal(power, step, ratio, low, addend):
    """y and correction: 1 / (scale * E + addend) = y * (1 + correction), to first order.

    The addend is added to power first, and then the rest of E with one rounding. The error of that
    rounding is computed exactly: power and the denominator are within a factor of 2.6 of each other, and
    power has a zero in its last place, so that their difference is a float. For this, power must be the
    larger of the two; if the addend is larger, they change places. `low` matters to a result that is rounded
    again, to 16 bits, and is ignored otherwise, when it is a tenth of the quotient's rounding error.
    """
    denominator = fma(step, ratio, power + addend)
    rounding_error = fma(step, ratio, (power - denominator) + addend)
    denominator_low = if_narrowed(rounding_error + low, rounding_error)
    y = 1.0 / denominator
    return y, fma(-y, denominator_low, fma(-y, denominator, 1.0))


def logistic(power, step, ratio, low, scale):
    """q = 1 / (1 + E), divided by scale, and p = 1 - q as double-doubles, and q * p, divided by scale.

    q is sigmoid(-abs(x)), p sigmoid(abs(x)), and their product the sigmoid's derivative.
    """
    y, correction = reciprocal(power, step, ratio, low, scale)
    q = fma(y, correction, y)
    q_low = fma(y, correction, y - q)
    p = fma(-q, scale, 1.0)
    p_low = fma(-q_low, scale, fma(-q, scale, 1.0 - p))

    # from y, before q is rounded: y (1 + c) (1 - y (1 + c)) to first order in the correction c
    scaled = y * scale
    bracket = fma(correction, fma(-2.0, scaled, 1.0), -scaled)
    return q, q_low, p, p_low, fma(y, bracket, y)


def left_or_complement(x, left, scale, final_scale):
    """final_scale * left where x < 0, else 1 - scale * left; times the cotangent if there is one."""
    # Choosing between constants is faster than between results.
    chosen = fma(left, where(x < 0.0, scale, -scale), where(x < 0.0, 0.0, 1.0))
    return if_weighted(times_cotangent(chosen) * where(x < 0.0, final_scale, 1.0), chosen)


def scaled_expm1(magnitude, power, bits_of_reciprocal, r, ratio, ratio_low):
    """(E - 1) / 2^n = (1 - 2^-n) + r * ratio as a double-double.

    Near zero, where n is 0, it is r * ratio, and the low part of the ratio keeps the relative accuracy. For
    large E that low part is ignored, as it is in q, so that in tanh the two errors cancel.
    """
    # 1 - 2^-n is 1 long before 2^-n underflows
    constant = where(magnitude < 64.0, 1.0 - from_bits(bits_of_reciprocal - bits(power)), 1.0)
    product = r * ratio
    kept = if_narrowed(ratio_low, where(magnitude < 2.0, ratio_low, 0.0))
    product_low = fma(r, kept, fma(r, ratio, -product))
    difference = constant + product
    return difference, two_sum_error(constant, product, difference) + product_low


def tanh_half(magnitude, power, r, ratio, ratio_low, q, q_low):
    """tanh(magnitude / 2) = (E - 1) / (E + 1) as a double-double; requires the scale of `exponential`."""
    difference, difference_low = scaled_expm1(
        magnitude, power, BITS_OF_RECIPROCAL_SCALED, r, ratio, ratio_low
    )
    return multiply(difference, difference_low, power * q, power * q_low)


def log1p_exp(power, step, ratio, low, scale):
    """y and tail: log(1 + 1 / E) = scale * y * (1 + tail).

    It is 2 atanh(z) with z = 1 / (1 + 2 E) <= 1/3, and y = 2 z / scale.
    """
    half_scale = 0.5 * scale
    y, correction = reciprocal(power, step, ratio, low, half_scale)
    z = y * half_scale
    return y, fma(z * z, polynomial(z * z, ATANH_TAIL_LOG1P), correction)


def softplus_near_zero(x):
    """log(1 + exp(x)) = ln(2) + x/2 + log(cosh(x/2)) for abs(x) <= 1/4, as a double-double.

    With the exponential, x would be lost in the rounding of larger numbers, and the results of neighbours
    could be in the wrong order.
    """
    square = x * x
    high = fma(x, 0.5, LN2_HIGH)
    even = fma(square, polynomial(square, LOG_COSH), LN2_LOW)
    return high, even + fma(x, 0.5, LN2_HIGH - high)
