"""Conversions between integers, floats and 16-bit floats."""

import re

from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.instructions import instruction
from emulated_gpu.ptx.types import FLOATS, WIDTHS, word

INTEGER = r"[us](?:8|16|32|64)"
ROUNDINGS = {"rni": "roundeven", "rzi": "trunc", "rmi": "floor", "rpi": "ceil"}


@instruction(rf"cvt\.(?P<to>{INTEGER})\.(?P<kind>{INTEGER})")
def integer_to_integer(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    value = emitter.value(operands[1], match["kind"])
    emitter.put(operands[0], emitter.resized(value, match["kind"], match["to"]), match["to"])


@instruction(rf"cvt\.rn\.(?P<to>f32|f64)\.(?P<kind>{INTEGER})")
def integer_to_float(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, to = match["kind"], match["to"]
    convert = "sitofp" if kind[0] == "s" else "uitofp"
    value = emitter.value(operands[1], kind)
    emitter.put_float(operands[0], emitter.op(f"{convert} {word(kind)} {value} to {FLOATS[to]}"), to)


@instruction(rf"cvt\.(?P<how>{'|'.join(ROUNDINGS)})(?P<ftz>\.ftz)?\.(?P<to>{INTEGER})\.(?P<kind>f32|f64)")
def float_to_integer(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """What is out of range gives the nearest integer there is, a nan of 32 bits or fewer 0."""
    kind, to = match["kind"], match["to"]
    number = emitter.floating(operands[1], kind, bool(match["ftz"]) and kind == "f32")
    whole = f"{FLOATS[kind]} @llvm.{ROUNDINGS[match['how']]}.{kind}({FLOATS[kind]} {number})"
    integer = f"{word(to)} @llvm.fpto{'si' if to[0] == 's' else 'ui'}.sat.{word(to)}.{kind}"
    result = emitter.op(f"call {integer}({FLOATS[kind]} {emitter.op(f'call {whole}')})")
    emitter.put(operands[0], result, to)


@instruction(r"cvt(?P<how>\.rn)?(?P<ftz>\.ftz)?\.(?P<to>f32|f64)\.(?P<kind>f32|f64)(?<!\.(f..)\.\1)")
def float_to_float(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, to, ftz = match["kind"], match["to"], bool(match["ftz"])
    number = emitter.floating(operands[1], kind, ftz and kind == "f32")
    cast = "fpext" if WIDTHS[to] > WIDTHS[kind] else "fptrunc"
    number = emitter.op(f"{cast} {FLOATS[kind]} {number} to {FLOATS[to]}")
    emitter.put_float(operands[0], number, to, ftz and to == "f32")


@instruction(
    rf"cvt\.(?P<how>{'|'.join(ROUNDINGS)})(?:(?P<ftz>\.ftz)?\.(?P<kind>f32)\.f32|\.(?P<double>f64)\.f64)"
)
def float_to_whole_float(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, ftz = match["kind"] or match["double"], bool(match["ftz"])
    number = emitter.floating(operands[1], kind, ftz)
    function = f"@llvm.{ROUNDINGS[match['how']]}.{kind}"
    emitter.put_float(
        operands[0], emitter.op(f"call {FLOATS[kind]} {function}({FLOATS[kind]} {number})"), kind, ftz
    )


@instruction(r"cvt(?P<ftz>\.ftz)?\.f32\.f16")
def half_to_float(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Convert exactly; `.ftz` changes nothing, since no half is a subnormal float32."""
    half = emitter.floating(operands[1], "f16")
    emitter.put_float(operands[0], emitter.op(f"fpext half {half} to float"), "f32")


@instruction(r"cvt\.rn(?P<ftz>\.ftz)?\.f16\.f32")
def float_to_half(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Round once; `.ftz` flushes subnormal operands, but not results that are subnormal halves."""
    number = emitter.floating(operands[1], "f32", bool(match["ftz"]))
    emitter.put_float(operands[0], emitter.op(f"fptrunc float {number} to half"), "f16")


@instruction(r"cvt\.rn\.f16\.f64")
def double_to_half(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Round to odd in float32 first, so that the second rounding gives what a single one would."""
    number = emitter.op(f"call float @rounded.to.odd(double {emitter.floating(operands[1], 'f64')})")
    emitter.put_float(operands[0], emitter.op(f"fptrunc float {number} to half"), "f16")


@instruction(rf"cvt\.rn\.f16\.(?P<kind>{INTEGER})")
def integer_to_half(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Convert by way of float32, exact up to a limit; larger integers are infinite halves as the limit is."""
    kind = match["kind"]
    letter, limit = kind[0], 1 << 17
    value = emitter.resized(emitter.value(operands[1], kind), kind, f"{letter}64")
    value = emitter.op(f"call i64 @llvm.{letter}min.i64(i64 {value}, i64 {limit})")
    if letter == "s":
        value = emitter.op(f"call i64 @llvm.smax.i64(i64 {value}, i64 {-limit})")
    number = emitter.op(f"{letter}itofp i64 {value} to float")
    emitter.put_float(operands[0], emitter.op(f"fptrunc float {number} to half"), "f16")


@instruction(r"cvt\.f32\.bf16")
def bfloat_to_float(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    bits = emitter.op(f"zext i16 {emitter.value(operands[1], 'b16')} to i32")
    emitter.put(operands[0], emitter.op(f"shl i32 {bits}, 16"), "b32")


@instruction(r"cvt\.rn\.bf16\.f32")
def float_to_bfloat(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    result = emitter.op(f"call i16 @rounded.bf16(i32 {emitter.value(operands[1], 'b32')})")
    emitter.put(operands[0], result, "b16")
