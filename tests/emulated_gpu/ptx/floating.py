"""Arithmetic of float32 and float64, rounded to nearest.

Without `.rn`, as in CuPy's own kernels, an assembler may contract a product and a sum: here it
does not. The library's kernels have none of that: their arithmetic is inline PTX with `.rn`.
"""

import re

from emulated_gpu import settings
from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.instructions import instruction
from emulated_gpu.ptx.types import FLOATS, WIDTHS, word

KIND = r"(?P<ftz>\.ftz(?=\.f32))?\.(?P<kind>f32|f64)"


@instruction(rf"(?P<what>(?:add|sub|mul)(?=\.rn|\.ftz|\.f)|div(?=\.rn))(?:\.rn)?{KIND}")
def arithmetic(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, ftz = match["kind"], bool(match["ftz"])
    target, *sources = operands
    a, b = (emitter.floating(source, kind, ftz) for source in sources)
    emitter.put_float(target, emitter.op(f"f{match['what']} {FLOATS[kind]} {a}, {b}"), kind, ftz)


@instruction(rf"(?:fma|mad)\.rn{KIND}")
def multiply_add(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, ftz = match["kind"], bool(match["ftz"])
    target, *sources = operands
    floats = ", ".join(f"{FLOATS[kind]} {emitter.floating(source, kind, ftz)}" for source in sources)
    emitter.put_float(target, emitter.op(f"call {FLOATS[kind]} @llvm.fma.{kind}({floats})"), kind, ftz)


@instruction(rf"sqrt\.rn{KIND}")
def square_root(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, ftz = match["kind"], bool(match["ftz"])
    number = emitter.floating(operands[1], kind, ftz)
    root = emitter.op(f"call {FLOATS[kind]} @llvm.sqrt.{kind}({FLOATS[kind]} {number})")
    emitter.put_float(operands[0], root, kind, ftz)


@instruction(rf"(?P<what>abs|neg){KIND}")
def sign(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Bits only: a nan keeps its payload."""
    kind = match["kind"]
    bits = emitter.op(
        f"bitcast {FLOATS[kind]} {emitter.floating(operands[1], kind, bool(match['ftz']))} to {word(kind)}"
    )
    top = 1 << (WIDTHS[kind] - 1)
    change = (
        f"and {word(kind)} {bits}, {top - 1}" if match["what"] == "abs" else f"xor {word(kind)} {bits}, {top}"
    )
    emitter.put(operands[0], emitter.op(change), kind)


@instruction(rf"(?P<what>min|max){KIND}")
def extremum(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """The other operand where one is a nan; of zeros, the negative one is the lesser."""
    kind, ftz, least = match["kind"], bool(match["ftz"]), match["what"] == "min"
    floats, whole = FLOATS[kind], word(kind)
    a, b = (emitter.floating(source, kind, ftz) for source in operands[1:])
    bits_a, bits_b = (emitter.op(f"bitcast {floats} {x} to {whole}") for x in (a, b))
    first = emitter.op(f"fcmp {'olt' if least else 'ogt'} {floats} {a}, {b}")
    chosen = emitter.op(f"select i1 {first}, {whole} {bits_a}, {whole} {bits_b}")
    zeros = emitter.op(f"{'or' if least else 'and'} {whole} {bits_a}, {bits_b}")
    equal = emitter.op(f"fcmp oeq {floats} {a}, {b}")
    chosen = emitter.op(f"select i1 {equal}, {whole} {zeros}, {whole} {chosen}")
    for number, other in ((a, bits_b), (b, bits_a)):
        is_nan = emitter.op(f"fcmp uno {floats} {number}, {number}")
        chosen = emitter.op(f"select i1 {is_nan}, {whole} {other}, {whole} {chosen}")
    emitter.put_float(operands[0], emitter.op(f"bitcast {whole} {chosen} to {floats}"), kind, ftz)


@instruction(rf"rcp\.rn{KIND}")
def reciprocal(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, ftz = match["kind"], bool(match["ftz"])
    number = emitter.floating(operands[1], kind, ftz)
    emitter.put_float(operands[0], emitter.op(f"fdiv {FLOATS[kind]} 1.0, {number}"), kind, ftz)


@instruction(r"rcp\.approx\.ftz\.f32")
def approximate_reciprocal(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """PTX promises one ULP: the setting says how many, up or down, a result is off."""
    exact = emitter.op(f"fdiv float 1.0, {emitter.floating(operands[1], 'f32', True)}")
    if settings.RECIPROCAL_ULP:
        exact = emitter.op(f"call float @displaced(float {exact}, i32 {settings.RECIPROCAL_ULP})")
    emitter.put_float(operands[0], exact, "f32", True)


@instruction(r"copysign\.(?P<kind>f32|f64)")
def copy_sign(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind = match["kind"]
    top = 1 << (WIDTHS[kind] - 1)
    signs, magnitude = (emitter.value(source, kind) for source in operands[1:])
    signs = emitter.op(f"and {word(kind)} {signs}, {top}")
    magnitude = emitter.op(f"and {word(kind)} {magnitude}, {top - 1}")
    emitter.put(operands[0], emitter.op(f"or {word(kind)} {signs}, {magnitude}"), kind)
