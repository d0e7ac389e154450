"""Count the instructions that a contiguous array's kernels take for an element, compiled for sm_90.

    python tools/count_instructions.py > bench/results/instructions-sm90.md

What one vector more adds to a kernel, divided by the vector's elements: the loop around it
does not count, nor does what only special operands run (a division's slow path). No GPU is
needed. It is no measurement, but says what keeps a kernel from the memory's speed.
"""

import re

from sass import disassembled, instructions

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cupy import lut, packed
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.lowering import lower_for
from gpu_sigmoid.modes import PUBLIC, label

ARCHITECTURE = 90
# An H200: 132 processors, each issuing four instructions of 32 elements a cycle, at 1.98 GHz;
# of its memory's 4.8 TB/s a copy can have some 4.3.
INSTRUCTIONS_A_SECOND = 132 * 4 * 32 * 1.98e9
BYTES_A_SECOND = 4.3e12

HEADER = f"""\
# Instructions an element

Of the kernels for contiguous arrays, compiled by NVRTC for sm_{ARCHITECTURE} with CuPy's options. In
brackets, how many an H200 can issue in the time its memory moves the element's bytes (at 4.3
TB/s): where there are more, arithmetic and not the memory sets the speed. Operations on
float64 take twice the time: where that makes more, it is given. Counted, not measured, by
tools/count_instructions.py.

| | {" | ".join(DTYPES)} |
|---|{"---:|" * len(DTYPES)}"""


def executed(source: str) -> int:
    """Count the instructions, and those on float64 twice if that is more.

    Those that a branch leaps over, unless it must call, do not count.
    """
    once = source.replace("for (long long first", "#pragma unroll 1\nfor (long long first")
    code = disassembled(once, ARCHITECTURE)
    mark = r"\.L_x_\d+"
    straight = rf"(?:(?!{mark}:)[\s\S])*?"
    slow_path = rf"(@!?P\d BRA `\(({mark})\) ;\n){straight}CALL{straight}(?=\2:)"
    found = instructions(re.sub(slow_path, r"\1", code))
    return max(len(found), 2 * sum(bool(re.match(r"D(ADD|FMA|MUL|SETP)", i)) for i in found))


def per_element(function: str, mode: str, dtype: str) -> float:
    method = gs.FUNCTIONS[function].methods[mode]
    program = lower_for(method.formula, method.mode, dtype)
    one, two = (executed(packed.source(program, dtype, n)) for n in (1, 2))
    return (two - one) * numpy_dtype(dtype).itemsize / packed.VECTOR


def budget(function: str, mode: str, dtype: str) -> float:
    method = gs.FUNCTIONS[function].methods[mode]
    arrays = len(method.operands) + len(method.mode.partials)
    return INSTRUCTIONS_A_SECOND * arrays * numpy_dtype(dtype).itemsize / BYTES_A_SECOND


def looked_up() -> float:
    one, two = (executed(lut.source(n)) for n in (1, 2))
    return (two - one) * 2 / packed.VECTOR


if __name__ == "__main__":
    print(HEADER)
    for function in gs.FUNCTIONS:
        for mode in PUBLIC:
            cells = [
                f"{per_element(function, mode, dtype):.0f} ({budget(function, mode, dtype):.0f})"
                for dtype in DTYPES
            ]
            print(f"| `{label(function, mode)}` | {' | '.join(cells)} |", flush=True)
    print(
        f"\nA look-up, which serves large 16-bit arrays instead wherever a function takes one operand, "
        f"takes {looked_up():.1f}."
    )
