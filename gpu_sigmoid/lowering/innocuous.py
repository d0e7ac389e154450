"""Fused multiply-adds in float32 that may be computed in float64 and rounded again.

In general the second rounding may be wrong, since the sum in float64 may be half-way between two float32
numbers where the exact sum is not. It is right in two cases, for subnormal results too:

- The product is that of a power of two. Then the exact sum is one of two numbers of 24 bits, and float64 has
  2 * 24 + 2 bits, with which double rounding is innocuous (S. A. Figueroa, SIGNUM Newsletter 30, 1995).
- The sum is the rounding error of a product or the remainder of a division, which is exact in float64.
"""

from math import frexp, inf
from typing import Any

from gpu_sigmoid.lowering.constants import FLOAT32
from gpu_sigmoid.lowering.language import Value

SIGNIFICAND_BITS = 23
LEAST_NORMAL = 2.0**-126


def may_be_rounded_twice(operation: Value) -> bool:
    """Return whether an operation is such a multiply-add."""
    if operation.name != "fma" or operation.graph.format is not FLOAT32:
        return False
    *factors, addend = operation.operands
    return any(map(is_power_of_two, factors)) or is_error(factors, addend)


def is_power_of_two(value: Value) -> bool:
    """Return whether a float is certainly zero, infinity or a power of two that is normal, of either sign.

    A product may be subnormal, where the bits of its significand are not zero, so it is not looked into.
    """
    match value.name:
        case "constant":
            number = abs(float.fromhex(value.payload))
            return number in (0.0, inf) or (frexp(number)[0] == 0.5 and number >= LEAST_NORMAL)
        case "neg" | "abs":
            return is_power_of_two(value.operands[0])
        case "where":
            return all(map(is_power_of_two, value.operands[1:]))
        case "from_bits":
            return is_exponent(value.operands[0])
    return False


def is_exponent(value: Value) -> bool:
    """Return whether the bits of the significand are certainly zero in an integer."""
    match value.name:
        case "constant":
            return value.payload % 2**SIGNIFICAND_BITS == 0
        case "shl":
            return value.operands[1].payload == SIGNIFICAND_BITS or is_exponent(value.operands[0])
        case "and_":
            return any(map(is_exponent, value.operands))
        case "add" | "sub" | "or_" | "xor":
            return all(map(is_exponent, value.operands))
        case "where":
            return all(map(is_exponent, value.operands[1:]))
        case "bits":
            return is_power_of_two(value.operands[0])
    return False


def is_error(factors: list[Value], addend: Value) -> bool:
    """Return whether a sum is x y - (x y), x - (x / y) y or 1 - (1 / y) y, or the first one's negative."""
    product_sign, product = unsigned_product(factors)
    addend_sign, high = unsigned(addend)
    if high.name == "mul":
        high_sign, same = unsigned_product(high.operands)
        return same == product and high_sign ^ addend_sign ^ product_sign
    if addend_sign or not product_sign:
        return False
    for quotient in (unsigned(factor)[1] for factor in factors):
        if quotient.name == "div":
            numerator, denominator = quotient.operands
            is_dividend = numerator is high
        elif quotient.name == "reciprocal":
            (denominator,) = quotient.operands
            is_dividend = high.name == "constant" and float.fromhex(high.payload) == 1.0
        else:
            continue
        if is_dividend and product == sorted((id(quotient), id(denominator))):
            return True
    return False


def unsigned_product(factors: Any) -> tuple[bool, list[int]]:
    """Return whether a product is negated, and its factors without signs, as identities in order."""
    signs, values = zip(*map(unsigned, factors), strict=True)
    return signs[0] ^ signs[1], sorted(map(id, values))


def unsigned(value: Value) -> tuple[bool, Value]:
    """Return whether a value is negated, and the value without its sign."""
    negated = False
    while value.name == "neg":
        negated, value = not negated, value.operands[0]
    return negated, value
