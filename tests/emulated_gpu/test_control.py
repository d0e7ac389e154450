"""Branches, guards, indices, barriers and traps; and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulated_gpu.whole_kernel import failure, kernel


def test_a_loop_and_guards(gpu: Any, tmp_path: Path) -> None:
    body = """
    ld.param.u64 %d1, [out];
    mov.u32 %r0, %tid.x;
    mov.u32 %r1, 0;
    mov.u32 %r2, 0;
LOOP:
    setp.ge.u32 %p1, %r2, %r0;
    @%p1 bra DONE;
    and.b32 %r3, %r2, 1;
    setp.eq.s32 %p2, %r3, 0;
    @%p2 add.s32 %r1, %r1, %r2;
    @!%p2 add.s32 %r1, %r1, 100;
    add.s32 %r2, %r2, 1;
    bra.uni LOOP;
DONE:
    mad.wide.u32 %d1, %r0, 4, %d1;
    st.global.u32 [%d1], %r1;
    ret;"""
    out = gpu.zeros(20, "u4")
    kernel(gpu, tmp_path, body)((1,), (20,), (out,))
    assert gpu.asnumpy(out).tolist() == [sum(100 if k % 2 else k for k in range(n)) for n in range(20)]


def test_indices(gpu: Any, tmp_path: Path) -> None:
    grid, block = (2, 3, 4), (5, 3, 2)
    # a thread's number in mixed radix, the last axis of the grid first
    digits = [(f"%nctaid.{axis}", f"%ctaid.{axis}") for axis in "zyx"]
    digits += [(f"%ntid.{axis}", f"%tid.{axis}") for axis in "zyx"]
    steps = [f"mov.u32 %r2, {n}; mov.u32 %r3, {k}; mad.lo.s32 %r1, %r1, %r2, %r3;" for n, k in digits]
    body = f"""
    ld.param.u64 %d1, [out];
    mov.u32 %r1, 0;
    {" ".join(steps)}
    mad.wide.u32 %d1, %r1, 4, %d1;
    st.global.u32 [%d1], %r1;
    ret;"""
    out = gpu.zeros(int(np.prod(grid) * np.prod(block)), "u4")
    kernel(gpu, tmp_path, body)(grid, block, (out,))
    assert (gpu.asnumpy(out) == np.arange(out.size)).all()


def test_threads_that_end_do_not_keep_others_waiting(gpu: Any, tmp_path: Path) -> None:
    body = """
    ld.param.u64 %d1, [out];
    mov.u32 %r0, %tid.x;
    setp.gt.u32 %p1, %r0, 9;
    @%p1 exit;
    mul.lo.s32 %r1, %r0, 7;
    bar.sync 0;
    barrier.sync 0;
    mad.wide.u32 %d1, %r0, 4, %d1;
    st.global.u32 [%d1], %r1;
    ret;"""
    out = gpu.zeros(32, "u4")
    kernel(gpu, tmp_path, body)((1,), (32,), (out,))
    assert gpu.asnumpy(out).tolist() == [*range(0, 70, 7), *[0] * 22]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("trap;", "cudaErrorLaunchFailure", "a thread trapped"),
        (
            "mov.u32 %r0, %tid.x; setp.eq.s32 %p1, %r0, 0; @%p1 bra A; bar.sync 0; ret; A: bar.sync 0; ret;",
            "cudaErrorLaunchFailure",
            "threads of a block wait at different barriers",
        ),
    ],
)
def test_faults(emulated: Any, tmp_path: Path, body: str, status: str, reason: str) -> None:
    message = failure(emulated, kernel(emulated, tmp_path, body), (1,), (2,), (np.uint64(0),))
    assert status in message
    assert reason in message


@pytest.mark.parametrize(
    "instruction",
    [
        "div.f32 %f1, %f2, %f3;",
        "fma.rz.f32 %f1, %f2, %f3, %f4;",
        "add.rn.sat.f32 %f1, %f2, %f3;",
        "add.sat.s32 %r1, %r2, %r3;",
        "add.cc.u32 %r1, %r2, %r3;",
        "mul.wide.u64 %d1, %d2, %d3;",
        "cvt.rz.f32.f64 %f1, %g1;",
        "cvt.rn.sat.f16.f32 %h1, %f1;",
        "cvt.sat.u8.s32 %h1, %r1;",
        "setp.lo.u32 %p1, %r1, %r2;",
        "atom.global.add.u32 %r1, [%d1], %r2;",
        "bar.warp.sync -1;",
        "shfl.sync.down.b32 %r1, %r2, 1, 31, -1;",
        "ld.u32 %r1, [%d1];",
        "st.volatile.global.u32 [%d1], %r1;",
        "tanh.approx.f32 %f1, %f2;",
    ],
)
def test_other_instructions_are_refused_by_name(emulated: Any, tmp_path: Path, instruction: str) -> None:
    message = failure(emulated, kernel, emulated, tmp_path, f"{instruction} ret;")
    assert "CUDA_ERROR_INVALID_PTX" in message
    assert f"kernel whole: PTX instruction {instruction.split()[0]} is not emulated" in message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("bar.sync 1;", "barrier 1 is not emulated"),
        ("bar.sync 0, 32;", "barrier 0, 32 is not emulated"),
        ("mov.u32 %r1, %laneid;", "operand %laneid is not emulated"),
        ("mov.u32 %zz, 1;", "register %zz is not declared"),
        (".local .b8 depot[8];", "is not understood"),
    ],
)
def test_other_operands_are_refused(emulated: Any, tmp_path: Path, body: str, reason: str) -> None:
    assert reason in failure(emulated, kernel, emulated, tmp_path, f"{body} ret;")
