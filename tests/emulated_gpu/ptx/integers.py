"""Arithmetic and logic of integers and predicates."""

import re

from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.instructions import instruction
from emulated_gpu.ptx.types import WIDTHS, word

KIND = r"(?P<kind>[us](?:16|32|64))"
LLVM_CONDITIONS = {"min": "lt", "max": "gt"}


def signed(kind: str) -> str:
    """Return the letter with which LLVM's instructions tell signed from unsigned."""
    return "s" if kind[0] == "s" else "u"


@instruction(rf"(?P<what>add|sub)\.{KIND}")
def sum_or_difference(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind = match["kind"]
    a, b = (emitter.value(source, kind) for source in operands[1:])
    emitter.put(operands[0], emitter.op(f"{match['what']} {word(kind)} {a}, {b}"), kind)


@instruction(rf"(?P<what>mul|mad)\.(?P<part>lo|hi|wide)\.{KIND}(?<!wide\.[us]64)")
def product(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, part = match["kind"], match["part"]
    width = WIDTHS[kind]
    double = f"i{2 * width}"
    extend = "sext" if kind[0] == "s" else "zext"
    a, b = (
        emitter.op(f"{extend} {word(kind)} {emitter.value(source, kind)} to {double}")
        for source in operands[1:3]
    )
    result, result_kind = emitter.op(f"mul {double} {a}, {b}"), f"{kind[0]}{2 * width}"
    if part != "wide":
        if part == "hi":
            result = emitter.op(f"lshr {double} {result}, {width}")
        result, result_kind = emitter.op(f"trunc {double} {result} to {word(kind)}"), kind
    if match["what"] == "mad":
        addend = emitter.value(operands[3], result_kind)
        result = emitter.op(f"add {word(result_kind)} {result}, {addend}")
    emitter.put(operands[0], result, result_kind)


@instruction(rf"(?P<what>div|rem)\.{KIND}")
def division(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """By zero the quotient is all ones and the remainder the dividend; the host's would trap."""
    kind, what = match["kind"], match["what"]
    whole, letter = word(kind), signed(kind)
    a, b = (emitter.value(source, kind) for source in operands[1:])
    zero = emitter.op(f"icmp eq {whole} {b}, 0")
    divisor = emitter.op(f"select i1 {zero}, {whole} 1, {whole} {b}")
    if letter == "s":
        # the least number by -1 traps on the host too: by -1 is negation
        minus = emitter.op(f"icmp eq {whole} {b}, -1")
        divisor = emitter.op(f"select i1 {minus}, {whole} 1, {whole} {divisor}")
    result = emitter.op(f"{letter}{what} {whole} {a}, {divisor}")
    if letter == "s" and what == "div":
        negated = emitter.op(f"sub {whole} 0, {a}")
        result = emitter.op(f"select i1 {minus}, {whole} {negated}, {whole} {result}")
    by_zero = "-1" if what == "div" else a
    emitter.put(operands[0], emitter.op(f"select i1 {zero}, {whole} {by_zero}, {whole} {result}"), kind)


@instruction(r"(?P<what>neg|abs)\.(?P<kind>s(?:16|32|64))")
def negation(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind = match["kind"]
    whole, value = word(kind), emitter.value(operands[1], match["kind"])
    result = emitter.op(f"sub {whole} 0, {value}")
    if match["what"] == "abs":
        negative = emitter.op(f"icmp slt {whole} {value}, 0")
        result = emitter.op(f"select i1 {negative}, {whole} {result}, {whole} {value}")
    emitter.put(operands[0], result, kind)


@instruction(rf"(?P<what>min|max)\.{KIND}")
def extremum(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind = match["kind"]
    a, b = (emitter.value(source, kind) for source in operands[1:])
    first = emitter.op(f"icmp {signed(kind)}{LLVM_CONDITIONS[match['what']]} {word(kind)} {a}, {b}")
    emitter.put(operands[0], emitter.op(f"select i1 {first}, {word(kind)} {a}, {word(kind)} {b}"), kind)


@instruction(r"(?P<what>and|or|xor|not)\.(?P<kind>pred|b16|b32|b64)")
def logic(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind = match["kind"]
    values = [emitter.value(source, kind) for source in operands[1:]]
    what = "xor" if match["what"] == "not" else match["what"]
    values += ["true" if kind == "pred" else "-1"] * (match["what"] == "not")
    emitter.put(operands[0], emitter.op(f"{what} {word(kind)} {', '.join(values)}"), kind)


@instruction(r"(?P<what>shl|shr)\.(?P<kind>(?:b|(?<=shr\.)[us])(?:16|32|64))")
def shift(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """By the width and more, nothing or the sign is left; LLVM leaves that undefined."""
    kind = match["kind"]
    whole, width = word(kind), WIDTHS[kind]
    value, distance = emitter.value(operands[1], kind), emitter.value(operands[2], "u32")
    far = emitter.op(f"icmp uge i32 {distance}, {width}")
    distance = emitter.op(f"select i1 {far}, i32 {width - 1}, i32 {distance}")
    distance = emitter.resized(distance, "u32", kind)
    what = "shl" if match["what"] == "shl" else "ashr" if kind[0] == "s" else "lshr"
    result = emitter.op(f"{what} {whole} {value}, {distance}")
    if what != "ashr":
        result = emitter.op(f"select i1 {far}, {whole} 0, {whole} {result}")
    emitter.put(operands[0], result, kind)


@instruction(r"(?P<what>popc|clz|brev)\.(?P<kind>b32|b64)")
def counted_bits(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """The counts are 32 bits, of 64 bits too; reversed bits are as many as they were."""
    kind, whole = match["kind"], word(match["kind"])
    function, more = {"popc": ("ctpop", ""), "clz": ("ctlz", ", i1 false"), "brev": ("bitreverse", "")}[
        match["what"]
    ]
    value = emitter.value(operands[1], kind)
    result = emitter.op(f"call {whole} @llvm.{function}.{whole}({whole} {value}{more})")
    if match["what"] != "brev":
        result, kind = emitter.resized(result, kind, "u32"), "u32"
    emitter.put(operands[0], result, kind)


@instruction(r"prmt\.b32")
def permutation(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Four bytes of two operands, each chosen by three bits; a fourth bit spreads its sign instead."""
    low, high, choice = (emitter.value(source, "b32") for source in operands[1:])
    low, high = (emitter.op(f"zext i32 {half} to i64") for half in (low, high))
    both = emitter.op(f"or i64 {low}, {emitter.op(f'shl i64 {high}, 32')}")
    result = "0"
    for k in range(4):
        which = emitter.op(f"lshr i32 {choice}, {4 * k}")
        distance = emitter.op(f"shl i32 {emitter.op(f'and i32 {which}, 7')}, 3")
        distance = emitter.op(f"zext i32 {distance} to i64")
        byte = emitter.op(f"trunc i64 {emitter.op(f'lshr i64 {both}, {distance}')} to i8")
        spread = emitter.op(f"icmp ne i32 {emitter.op(f'and i32 {which}, 8')}, 0")
        byte = emitter.op(f"select i1 {spread}, i8 {emitter.op(f'ashr i8 {byte}, 7')}, i8 {byte}")
        placed = emitter.op(f"shl i32 {emitter.op(f'zext i8 {byte} to i32')}, {8 * k}")
        result = emitter.op(f"or i32 {result}, {placed}")
    emitter.put(operands[0], result, "b32")
