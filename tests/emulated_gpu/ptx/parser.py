"""PTX text to kernels: their parameters, limits, shared variables and statements."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from emulated_gpu.ptx.types import PtxError, rounded_up, size


@dataclass(frozen=True)
class Parameter:
    name: str
    size: int
    align: int


@dataclass
class Kernel:
    """An entry function."""

    name: str
    parameters: list[Parameter]
    most_threads: int
    statements: list[str]
    shared_offsets: dict[str, int] = field(default_factory=dict)
    """Where shared variables begin in the block's shared memory; dynamic ones after all others."""
    shared_bytes: int = 0


MOST_THREADS = 1024
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
ENTRY = re.compile(r"\.entry\s+([$\w]+)\s*(?:\(([^)]*)\))?([^{;]*)\{")
PARAMETER = re.compile(
    r"\.param\s+(?:\.align\s+(?P<align>\d+)\s+)?\.(?P<kind>\w+)\s+"
    r"(?:\.ptr\s*(?:\.\w+\s*)*?(?:\.align\s+\d+\s*)?)?(?P<name>[$\w]+)(?:\[(?P<count>\d+)\])?"
)
SHARED = re.compile(
    r"\.shared\s+(?:\.align\s+(?P<align>\d+)\s+)?\.(?P<kind>\w+)\s+(?P<name>[$\w]+)(?:\[(?P<count>\d*)\])?\s*;"
)
LIMIT = re.compile(r"\.maxntid\s+(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(\d+))?")
# A label, a brace that opens or closes a scope, or a statement, in which braces hold vectors.
STATEMENT = re.compile(r"\s*([$%\w.]+:(?!:)|[{}]|[^;{}]*(?:\{[^;{}]*\}[^;{}]*)*;)")


def parse(text: str) -> list[Kernel]:
    """Return the kernels of a module."""
    text = COMMENT.sub("", text)
    offsets, static = shared_variables(text)
    kernels = []
    for head in ENTRY.finditer(text):
        name, parameters, directives = head[1], head[2] or "", head[3]
        limit = LIMIT.search(directives)
        threads = int(limit[1]) * int(limit[2] or 1) * int(limit[3] or 1) if limit else MOST_THREADS
        body = list(statements(text, head.end()))
        kernels.append(Kernel(name, list(parsed_parameters(parameters)), threads, body, offsets, static))
    return kernels


def parsed_parameters(text: str) -> Iterator[Parameter]:
    for part in filter(None, map(str.strip, text.split(","))):
        found = PARAMETER.fullmatch(part)
        if not found:
            raise PtxError(f"parameter {part!r} is not understood")
        element = size(found["kind"])
        yield Parameter(found["name"], element * int(found["count"] or 1), int(found["align"] or element))


def shared_variables(text: str) -> tuple[dict[str, int], int]:
    """Return the offsets of a module's shared variables and how many bytes the static ones take."""
    offset, offsets, dynamic = 0, {}, []
    for found in SHARED.finditer(text):
        element = size(found["kind"])
        count = 1 if found["count"] is None else int(found["count"] or 0)
        if not count:
            dynamic.append(found["name"])
            continue
        offset = rounded_up(offset, int(found["align"] or element))
        offsets[found["name"]] = offset
        offset += element * count
    return offsets | dict.fromkeys(dynamic, rounded_up(offset, 16)), offset


def statements(text: str, start: int) -> Iterator[str]:
    """Yield what stands from `start` to the brace that closes the body."""
    depth = 1
    while True:
        found = STATEMENT.match(text, start)
        if not found:
            raise PtxError(f"not understood: {text[start : start + 60]!r}")
        start = found.end()
        depth += {"{": 1, "}": -1}.get(found[1], 0)
        if not depth:
            return
        yield found[1].removesuffix(";").strip()
