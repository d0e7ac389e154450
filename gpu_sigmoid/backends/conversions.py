"""16-bit formats to float32 and back, rounding to nearest, as LLVM instructions."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from gpu_sigmoid.backends.instructions import converts_half


def half_to_float(builder: Any, half: Any) -> Any:
    if converts_half():
        return builder.fpext(builder.bitcast(half, ir.HalfType()), ir.FloatType())
    word = ir.IntType(32)
    wide = builder.zext(half, word)
    magnitude = builder.shl(builder.and_(wide, word(0x7FFF)), word(13))
    # the difference of the exponents' biases; exact, for subnormals too
    scaled = builder.fmul(builder.bitcast(magnitude, ir.FloatType()), ir.FloatType()(2.0**112))
    special = builder.icmp_unsigned(">=", magnitude, word(0x7C00 << 13))
    pattern = builder.select(special, builder.or_(magnitude, word(0x7F800000)), builder.bitcast(scaled, word))
    sign = builder.shl(builder.and_(wide, word(0x8000)), word(16))
    return builder.bitcast(builder.or_(pattern, sign), ir.FloatType())


def float_to_half(builder: Any, value: Any) -> Any:
    if converts_half():
        return builder.bitcast(builder.fptrunc(value, ir.HalfType()), ir.IntType(16))
    word = ir.IntType(32)
    pattern = builder.bitcast(value, word)
    magnitude = builder.and_(pattern, word(0x7FFFFFFF))
    # adding 1/2 rounds what will be subnormal to its last place, and leaves it in the low bits
    half = ir.FloatType()(0.5)
    small = builder.sub(
        builder.bitcast(builder.fadd(builder.bitcast(magnitude, ir.FloatType()), half), word),
        word(0x3F000000),
    )
    odd = builder.and_(builder.lshr(magnitude, word(13)), word(1))
    to_even = builder.add(magnitude, builder.add(odd, word(0x0FFF - (112 << 23))))
    normal = builder.lshr(to_even, word(13))
    finite = builder.select(builder.icmp_unsigned("<", magnitude, word(113 << 23)), small, normal)
    is_nan = builder.icmp_unsigned(">", magnitude, word(0x7F800000))
    special = builder.select(is_nan, word(0x7E00), word(0x7C00))
    too_large = builder.icmp_unsigned(">=", magnitude, word(143 << 23))
    sign = builder.lshr(builder.and_(pattern, word(0x80000000)), word(16))
    return builder.trunc(builder.or_(builder.select(too_large, special, finite), sign), ir.IntType(16))


def bfloat_to_float(builder: Any, bfloat: Any) -> Any:
    word = ir.IntType(32)
    return builder.bitcast(builder.shl(builder.zext(bfloat, word), word(16)), ir.FloatType())


def float_to_bfloat(builder: Any, value: Any) -> Any:
    word = ir.IntType(32)
    pattern = builder.bitcast(value, word)
    odd = builder.and_(builder.lshr(pattern, word(16)), word(1))
    to_even = builder.add(pattern, builder.add(odd, word(0x7FFF)))
    # the carry could turn a nan into infinity or zero
    quiet = builder.or_(pattern, word(0x00400000))
    rounded = builder.select(builder.fcmp_unordered("uno", value, value), quiet, to_even)
    return builder.trunc(builder.lshr(rounded, word(16)), ir.IntType(16))


CONVERSIONS: dict[str, tuple[Callable, Callable]] = {
    "float16": (half_to_float, float_to_half),
    "bfloat16": (bfloat_to_float, float_to_bfloat),
}
