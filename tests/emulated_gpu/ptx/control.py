"""Branches, barriers and ends."""

import re

from emulated_gpu.ptx.emitter import Emitter
from emulated_gpu.ptx.instructions import instruction
from emulated_gpu.ptx.types import PtxError

# what a thread returns but the barrier it waits at
DONE, TRAPPED, MISALIGNED, DIVERGED = -1, -2, -3, -4


@instruction(r"bra(\.uni)?")
def branch(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    emitter.end(f'br label %"L{operands[0]}"')


@instruction(r"ret|exit")
def finish(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    emitter.end(f"ret i32 {DONE}")


@instruction(r"trap")
def trap(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    emitter.end(f"ret i32 {TRAPPED}")


@instruction(r"bar\.sync|barrier\.sync(\.aligned)?")
def barrier(emitter: Emitter, match: re.Match, operands: list[str]) -> None:
    """All threads of the block wait for each other: barriers of a part of them are not emulated."""
    if operands != ["0"]:
        raise PtxError(f"barrier {', '.join(operands)} is not emulated, only 0 of the whole block")
    emitter.suspend()
