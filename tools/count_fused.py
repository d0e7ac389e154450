"""Count what a function costs inside other kernels, beside the usual formula written by hand, for sm_90.

    python tools/count_fused.py > bench/results/fused-sm90.md

The kernels compute silu(x + bias) * gate on float32. What four elements more a thread add, divided by
four: the indices around them do not count. It takes CuPy and Triton, and no GPU; it is no measurement.
"""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import triton
import triton.language as tl
from count_instructions import BYTES_A_SECOND, INSTRUCTIONS_A_SECOND
from sass import cubin, disassembled_cubin, instructions
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

import gpu_sigmoid as gs

ARCHITECTURE, THREADS, VECTOR = 90, 128, 4
HEADER = f"""\
# What silu costs inside other kernels

`silu(x + bias) * gate` on float32, for sm_{ARCHITECTURE}, beside the usual formula, which overflows below
-88 and gives 0 where silu is a normal number. Instructions an element, and the kernel's registers a
thread. While the memory of an H200 moves the 16 bytes of an element, it can issue
{16 * INSTRUCTIONS_A_SECOND / BYTES_A_SECOND:.0f}. Counted, not measured, by tools/count_fused.py.

| compiled by | silu(t) | instructions | registers |
|---|---|---:|---:|"""

CUDA = """
extern "C" __global__ void kernel(const float4* x, const float4* bias, const float4* gate, float4* y) {{
    #pragma unroll
    for (int k = 0; k < {vectors}; ++k) {{
        const int i = (blockIdx.x * {vectors} + k) * {threads} + threadIdx.x;
        const float4 a = x[i], b = bias[i], c = gate[i];
        const auto silu = [](float t) {{ return {silu}; }};
        y[i] = make_float4(silu(a.x + b.x) * c.x, silu(a.y + b.y) * c.y, silu(a.z + b.z) * c.z,
                           silu(a.w + b.w) * c.w);
    }}
}}
"""


@triton.jit
def ours(t):
    return gs.triton.silu(t)


@triton.jit
def usual(t):
    return t * tl.sigmoid(t)


@triton.jit
def kernel(silu: tl.constexpr, x, bias, gate, y, block: tl.constexpr):
    i = tl.program_id(0) * block + tl.arange(0, block)
    tl.store(y + i, silu(tl.load(x + i) + tl.load(bias + i)) * tl.load(gate + i))


def of_triton(silu: Any, vectors: int) -> bytes:
    pointers = dict.fromkeys(("x", "bias", "gate", "y"), "*fp32")
    constants = {"silu": silu, "block": THREADS * VECTOR * vectors}
    signature = {"silu": "constexpr", **pointers, "block": "constexpr"}
    aligned = {(i,): [["tt.divisibility", 16]] for i in range(1, 5)}
    source = ASTSource(kernel, signature, constants, aligned)
    return triton.compile(source, GPUTarget("cuda", ARCHITECTURE, 32), {"num_warps": 4}).asm["cubin"]


def of_nvrtc(silu: str, vectors: int, *options: str) -> bytes:
    text = CUDA.format(vectors=vectors, threads=THREADS, silu=silu)
    return cubin(gs.cuda_source(gs.silu, dtype="float32") + text, ARCHITECTURE, *options)


def registers(code: bytes) -> int:
    """Ask Triton's cuobjdump for a kernel's registers."""
    program = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(code)
        file.flush()
        command = [program, "-res-usage", file.name]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"REG:(\d+)", text)
    assert found, text
    return int(found[1])


USUAL, OURS = "t / (1.0f + expf(-t))", "gpu_sigmoid::silu_value(t)"
ROWS: dict[tuple[str, str], Any] = {
    ("Triton", "`gs.triton.silu(t)`"): lambda vectors: of_triton(ours, vectors),
    ("Triton", "`t * tl.sigmoid(t)`"): lambda vectors: of_triton(usual, vectors),
    ("NVRTC", f"`{OURS}`"): lambda vectors: of_nvrtc(OURS, vectors),
    ("NVRTC", f"`{USUAL}`"): lambda vectors: of_nvrtc(USUAL, vectors),
    ("NVRTC, -use_fast_math", f"`{OURS}`"): lambda vectors: of_nvrtc(OURS, vectors, "-use_fast_math"),
    ("NVRTC, -use_fast_math", f"`{USUAL}`"): lambda vectors: of_nvrtc(USUAL, vectors, "-use_fast_math"),
}

if __name__ == "__main__":
    print(HEADER)
    for (compiler, silu), compiled in ROWS.items():
        one, two = (len(instructions(disassembled_cubin(compiled(vectors)))) for vectors in (1, 2))
        print(f"| {compiler} | {silu} | {(two - one) / VECTOR:.0f} | {registers(compiled(2))} |")
