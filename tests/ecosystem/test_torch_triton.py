"""gs.triton in kernels that torch.compile copies into code of its own."""

from pathlib import Path
from typing import Any

from helpers.modules import written
from helpers.required import library

library("torch")
triton = library("triton")

from torch._inductor.codegen.wrapper import user_defined_triton_kernel_transitive_closure_source_code
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

HEAD = "import triton\nimport triton.language as tl\n"
USERS = (
    HEAD
    + """\
import gpu_sigmoid as gs
silu = gs.triton.silu
silu_grad = gs.triton.silu.grad

@triton.jit
def kernel(x, y, size, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    held = i < size
    a = tl.load(x + i, held)
    tl.store(y + i, silu(a) + silu_grad(a), held)
"""
)


def arithmetic(kernel: Any) -> list[str]:
    """Return the instructions of the kernel's PTX on float32, in their order."""
    signature = {"x": "*fp32", "y": "*fp32", "size": "i32", "BLOCK": "constexpr"}
    built = triton.compile(ASTSource(kernel, signature, {"BLOCK": 128}), GPUTarget("cuda", 90, 32))
    return [line for line in built.asm["ptx"].splitlines() if ".f32" in line]


def test_the_copy_computes_the_same(tmp_path: Path) -> None:
    kernel = written(tmp_path / "users.py", USERS).kernel
    copied = user_defined_triton_kernel_transitive_closure_source_code(kernel)
    copy = written(tmp_path / "copied.py", f"{HEAD}\n@triton.jit\n{copied}").kernel
    assert arithmetic(copy) == arithmetic(kernel)
    assert len(arithmetic(copy)) > 50
