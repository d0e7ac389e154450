"""Comparisons that set predicates, and the choice by one."""

import re

from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.instructions import instruction
from emulated_gpu.ptx.types import FLOATS, word

# false where an operand is a nan, but for those that end in u, and ne, which PTX has ordered too
OF_FLOATS = {
    **{name: f"o{name}" for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{f"{name}u": f"u{name}" for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    "num": "ord",
    "nan": "uno",
}


@instruction(
    rf"setp\.(?P<how>{'|'.join(OF_FLOATS)})(?P<join>\.(?:and|or|xor))?"
    r"(?P<ftz>\.ftz(?=\.f32))?\.(?P<kind>f32|f64)"
)
def compare_floats(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, ftz = match["kind"], bool(match["ftz"])
    a, b = (emitter.floating(source, kind, ftz) for source in operands[1:3])
    set_predicate(emitter, match, operands, f"fcmp {OF_FLOATS[match['how']]} {FLOATS[kind]} {a}, {b}")


@instruction(
    r"setp\.(?P<how>eq|ne|(?:lt|le|gt|ge)(?=\.(?:\w+\.)?[us]))(?P<join>\.(?:and|or|xor))?"
    r"\.(?P<kind>[bus](?:16|32|64))"
)
def compare_integers(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, how = match["kind"], match["how"]
    a, b = (emitter.value(source, kind) for source in operands[1:3])
    condition = how if how in ("eq", "ne") else kind[0] + how
    set_predicate(emitter, match, operands, f"icmp {condition} {word(kind)} {a}, {b}")


def set_predicate(emitter: Emitter, match: re.Match, operands: list[str], comparison: str) -> None:
    result = emitter.op(comparison)
    if match["join"]:
        result = emitter.op(f"{match['join'][1:]} i1 {result}, {emitter.predicate(operands[3])}")
    emitter.put(operands[0], result, "pred")


@instruction(r"selp\.(?P<kind>[bus](?:16|32|64)|f32|f64)")
def select(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind = match["kind"]
    a, b = (emitter.value(source, kind) for source in operands[1:3])
    condition = emitter.predicate(operands[3])
    emitter.put(operands[0], emitter.op(f"select i1 {condition}, {word(kind)} {a}, {word(kind)} {b}"), kind)
