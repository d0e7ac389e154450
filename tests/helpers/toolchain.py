"""The CUDA compiler, which needs no GPU; tests are skipped if it is missing, or fail if it is required."""

import re

import pytest

from helpers.required import REQUIRED

if "nvrtc" not in REQUIRED:
    pytest.importorskip("cupy", reason="CuPy is not installed: it brings the compiler's binding")

from sass import disassembled, instructions

ARCHITECTURES = (80, 90, 100, 120)


def sass(source: str, architecture: int) -> list[str]:
    """Return the instructions of a kernel."""
    return instructions(disassembled(source, architecture))


def check(instructions: list[str], dtype: str) -> None:
    def used(pattern: str) -> list[str]:
        return [i for i in instructions if re.match(pattern, i)]

    # these show that there were too few registers
    assert not used(r"(LDL|STL)\b")
    # a subnormal would become 0
    assert not used(r"(FADD|FMUL|FFMA|FSETP|FMNMX|FSEL|F2F)\S*\.FTZ")
    if dtype != "float64":
        assert not used(r"(DADD|DMUL|DFMA|DSETP|DMNMX|MUFU\.RCP64H|F2F\.F64|F2F\.F32\.F64|I2F\.F64)")
