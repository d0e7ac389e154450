"""Moves between registers, and between registers and memory."""

import re

from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.instructions import instruction, vector
from emulated_gpu.ptx.types import WIDTHS, size, word

KIND = r"(?P<kind>[bus](?:8|16|32|64)|f32|f64)"
LANES = r"(?P<lanes>\.v[24])?"
CACHE = r"(?:\.nc|\.ca|\.cg|\.cs|\.lu|\.wb|\.wt)?"


@instruction(rf"ld\.(?P<space>param|global|shared){CACHE}{LANES}\.{KIND}")
def load(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Elements are sign-extended into wider registers where the type is signed."""
    kind, names = match["kind"], vector(operands[0])
    pointer = emitter.address(operands[1], match["space"])
    # a launch copies its parameters to where they need not be aligned
    align = 1
    if match["space"] != "param":
        emitter.check_alignment(pointer, size(kind) * len(names))
        align = size(kind)
    elements = emitter.elements(pointer, kind, len(names))
    values = [emitter.op(f"load {word(kind)}, ptr {element}, align {align}") for element in elements]
    for name, value in zip(names, values, strict=True):
        emitter.put(name, value, kind)


@instruction(rf"st\.(?P<space>global|shared){CACHE}{LANES}\.{KIND}")
def store(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    kind, names = match["kind"], vector(operands[1])
    pointer = emitter.address(operands[0], match["space"])
    emitter.check_alignment(pointer, size(kind) * len(names))
    for name, element in zip(names, emitter.elements(pointer, kind, len(names)), strict=True):
        emitter.do(f"store {word(kind)} {emitter.value(name, kind)}, ptr {element}, align {size(kind)}")


@instruction(r"cvta\.to\.global\.u64")
def global_address(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """A generic address of global memory is the global one."""
    emitter.put(operands[0], emitter.value(operands[1], "u64"), "u64")


@instruction(r"mov\.(?P<kind>[bus](?:16|32|64)|f32|f64|pred)")
def move(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """Between registers, or from several into a wider one, or back."""
    kind, (target, source) = match["kind"], operands
    if source.startswith("{"):
        emitter.put(target, joined(emitter, vector(source), kind), kind)
    elif target.startswith("{"):
        names, value = vector(target), emitter.value(source, kind)
        part = f"b{WIDTHS[kind] // len(names)}"
        for k, name in enumerate(names):
            if name != "_":
                shifted = emitter.op(f"lshr {word(kind)} {value}, {k * WIDTHS[part]}")
                emitter.put(name, emitter.resized(shifted, kind, part), part)
    else:
        emitter.put(target, emitter.value(source, kind), kind)


def joined(emitter: Emitter, names: list[str], kind: str) -> str:
    part = f"b{WIDTHS[kind] // len(names)}"
    result = "0"
    for k, name in enumerate(names):
        wide = emitter.resized(emitter.value(name, part), part, kind)
        placed = emitter.op(f"shl {word(kind)} {wide}, {k * WIDTHS[part]}")
        result = emitter.op(f"or {word(kind)} {result}, {placed}")
    return result
