"""A program as a block of PTX instructions, for compilers that accept inline PTX."""

import struct
from collections.abc import Sequence

from gpu_sigmoid.lowering.constants import FLOAT32, Format
from gpu_sigmoid.lowering.language import Value
from gpu_sigmoid.lowering.program import Program


def ptx_block(program: Program, results: Sequence[str], operands: Sequence[str]) -> str:
    """Return instructions that compute `results` from `operands`, both names of the caller's registers."""
    form = program.format
    types = {"f": f".{form.ptx}", "i": f".b{form.bits}", "b": ".pred"}
    name = program.names
    name |= {c: literal(c, form) for c in program.constants}
    name |= dict(zip(program.inputs, operands, strict=True))
    lines = [f".reg {types[operation.kind]} {name[operation]};" for operation in program.operations]
    for operation in program.operations:
        given = [name[o] for o in operation.operands]
        lines.append(operation.primitive.instructions(form.ptx, name[operation], given))
    lines += [f"mov.{form.ptx} {r}, {name[v]};" for r, v in zip(results, program.outputs, strict=True)]
    return "\n".join(["{", *lines, "}"])


def literal(constant: Value, form: Format) -> str:
    if constant.kind == "i":
        return f"{constant.payload:#x}"
    number = float.fromhex(constant.payload)
    if form is FLOAT32:
        return "0f" + struct.pack(">f", number).hex().upper()
    return "0d" + struct.pack(">d", number).hex().upper()
