"""PTX of kernels, which numba-cuda compiles without a GPU, and the instructions in it."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from gpu_sigmoid.lowering import Program
from gpu_sigmoid.lowering.primitives import OVERLOADS
from helpers.required import missing

CAPABILITY = (9, 0)


def numba_cuda() -> Any:
    """Return `numba.cuda` of numba-cuda; skip where it is missing, fail where it is required."""
    try:
        from numba import cuda

        if cuda.implementation == "NVIDIA":
            return cuda
        reason = "numba.cuda is Numba's old built-in target, not numba-cuda"
    except (ImportError, AttributeError) as error:
        reason = f"numba-cuda is not installed: {error}"
    missing("numba-cuda", reason)


def compiled(function: Callable, *argument_types: Any, fastmath: bool = False) -> str:
    """Return a kernel's PTX."""
    from numba import types

    text, _ = numba_cuda().compile(
        function, types.void(*argument_types), cc=CAPABILITY, device=False, fastmath=fastmath, abi="numba"
    )
    return text


def operations(ptx: str) -> Counter:
    """Count the floating-point instructions by their full name."""
    names = r"add|sub|mul|div|rcp|fma|neg|abs|setp\.\w+"
    return Counter(re.findall(rf"\b((?:{names})(?:\.\w+)*\.f(?:32|64))\b", ptx))


def expected(program: Program) -> Counter:
    """Count the instructions of a program's operations."""
    spellings = [
        primitive.inline_ptx(program.format.ptx, "%")
        for operation in program.operations
        if (primitive := OVERLOADS[operation.name, "".join(o.kind for o in operation.operands)]).alterable
    ]
    return operations("\n".join(spellings))


def holds_only(ptx: str, program: Program) -> bool:
    """Return whether the kernel's arithmetic is the program's, repeated as often as the loop was unrolled."""
    got, want = operations(ptx), expected(program)
    multiply_add = "fma.rn." + program.format.ptx
    copies = got[multiply_add] // want[multiply_add]
    return copies > 0 and got == Counter({name: copies * count for name, count in want.items()})


def flushes(ptx: str) -> bool:
    """Return whether any instruction but a division's first guess flushes subnormals or approximates."""
    rest = ptx.replace("rcp.approx.ftz.f32", "")
    return ".ftz" in rest or "approx" in rest


def assemble(ptx: str, architecture: str = "sm_90") -> None:
    """Assemble by CUDA's linker, which needs no driver."""
    core = pytest.importorskip("cuda.core", reason="cuda-core, which comes with numba-cuda, is missing")
    code = core.ObjectCode.from_ptx(ptx.encode())
    core.Linker(code, options=core.LinkerOptions(arch=architecture)).link("cubin")
