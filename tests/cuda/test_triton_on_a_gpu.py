"""gs.triton in kernels that Triton itself launches, and torch.compile: it takes both with CUDA, and a GPU."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.calls import bits, sample
from helpers.methods import as_tuple
from helpers.modules import written
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

torch = library("torch")
triton = library("triton")
if not torch.cuda.is_available():
    pytest.skip("torch finds no GPU", allow_module_level=True)

SIZE, BLOCK = 1003, 256
HEAD = """
import gpu_sigmoid as gs
import triton
import triton.language as tl

@triton.jit
def kernel({pointers}, size, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    held = i < size
"""
USERS = HEAD.format(pointers="x, result").replace("\n@triton", "\nsilu = gs.triton.silu\n\n@triton")
USERS += "    tl.store(result + i, silu(tl.load(x + i, held)), held)\n"


def kernel(folder: Path, method: Any) -> Any:
    """Return a Triton kernel that computes what a method does."""
    results = [f"result{k}" for k in range(len(method.mode.partials))]
    called = "gs.triton." + method.label.removesuffix(".value")
    loads = ", ".join(f"tl.load({o} + i, held)" for o in method.operands)
    body = [f"{', '.join(f'_{r}' for r in results)} = {called}({loads})"]
    body += [f"tl.store({r} + i, _{r}, held)" for r in results]
    head = HEAD.format(pointers=", ".join([*method.operands, *results]))
    return written(folder / "kernel_on_a_gpu.py", head + "".join(f"    {line}\n" for line in body)).kernel


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", gs.FUNCTIONS)
def test_the_cpus_bits(name: str, dtype: str, tmp_path: Path) -> None:
    for mode in PUBLIC:
        method = gs.FUNCTIONS[name].methods[mode]
        hosts = [torch.from_numpy(a).to(getattr(torch, dtype)) for a in sample(method, np.float64, SIZE)]
        there = [t.cuda() for t in hosts]
        results = [torch.empty_like(there[0]) for _ in method.mode.partials]
        kernel(tmp_path, method)[(triton.cdiv(SIZE, BLOCK),)](*there, *results, SIZE, BLOCK=BLOCK)
        for got, want in zip(results, as_tuple(method(*hosts)), strict=True):
            assert bits(got.cpu().double().numpy()) == bits(want.double().numpy()), method.label


def test_torch_compile_takes_such_a_kernel(tmp_path: Path) -> None:
    users = written(tmp_path / "compiled_on_a_gpu.py", USERS).kernel

    def computed(x: Any) -> Any:
        y = torch.empty_like(x)
        torch.library.wrap_triton(users)[(triton.cdiv(x.numel(), BLOCK),)](x, y, x.numel(), BLOCK=BLOCK)
        return y * 2

    (x,) = (torch.from_numpy(a) for a in sample(gs.silu, np.float32, SIZE))
    got = torch.compile(computed, fullgraph=True)(x.cuda())
    assert bits(got.cpu().numpy()) == bits((gs.silu(x) * 2).numpy())
