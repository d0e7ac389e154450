"""Which function emits which instruction: patterns of whole names, so that no modifier is passed over."""

import re
from collections.abc import Callable
from functools import cache

from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.types import PtxError

Emit = Callable[[Emitter, re.Match, list[str]], None]
PATTERNS: list[tuple[re.Pattern, Emit]] = []

INSTRUCTION = re.compile(r"(?:@(?P<guard>!?[%\w.]+)\s+)?(?P<name>[a-z][\w.:]*)\s*(?P<operands>.*)", re.DOTALL)
OPERAND = re.compile(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+")
REGISTERS = re.compile(r"\.reg\s+\.(\w+)\s+(.+)", re.DOTALL)
LABEL = re.compile(r"[$%\w.]+:")
# directives in a body that say nothing about what is computed; shared variables are the parser's
PASSED_OVER = re.compile(r"\.(shared|loc|pragma|file)\b.*", re.DOTALL)


def instruction(pattern: str) -> Callable[[Emit], Emit]:
    """Register what emits the instructions whose whole name a pattern matches."""

    def register(emit: Emit) -> Emit:
        PATTERNS.append((re.compile(pattern), emit))
        return emit

    return register


@cache
def found(name: str) -> tuple[re.Match, Emit]:
    for pattern, emit in PATTERNS:
        if match := pattern.fullmatch(name):
            return match, emit
    raise PtxError(f"PTX instruction {name} is not emulated")


def emit_statement(emitter: Emitter, statement: str) -> None:
    """Emit a label, a declaration, or an instruction with its guard."""
    if statement in ("{", "}"):
        emitter.open_scope() if statement == "{" else emitter.close_scope()
    elif LABEL.fullmatch(statement):
        emitter.label("L" + statement[:-1])
    elif registers := REGISTERS.fullmatch(statement):
        emitter.declare(*registers.groups())
    elif not PASSED_OVER.fullmatch(statement):
        emit_instruction(emitter, statement)


def emit_instruction(emitter: Emitter, statement: str) -> None:
    parts = INSTRUCTION.fullmatch(statement)
    if not parts:
        raise PtxError(f"{statement!r} is not understood")
    match, emit = found(parts["name"])
    operands = OPERAND.findall(parts["operands"])
    if not parts["guard"]:
        return emit(emitter, match, operands)
    then, after = emitter.fresh("then"), emitter.fresh("after")
    condition = emitter.predicate(parts["guard"])
    emitter.do(f'br i1 {condition}, label %"{then}", label %"{after}"')
    emitter.begin(then)
    emit(emitter, match, operands)
    emitter.label(after)
    return None


def vector(operand: str) -> list[str]:
    """Return the names in a vector operand, or the one that it is."""
    return [name.strip() for name in operand.strip("{}").split(",")]
