"""Loads, stores and moves: all types, vectors, spaces of memory, extension, packing, alignment."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emulated_gpu.one_instruction import DTYPES, Instruction, register
from emulated_gpu.operands import check_same, operands
from emulated_gpu.whole_kernel import failure, kernel

ADDRESSES = """
    ld.param.u64 %d0, [in];
    cvta.to.global.u64 %d0, %d0;
    ld.param.u64 %d1, [out];
    cvta.to.global.u64 %d1, %d1;
"""
IN_OUT = ".param .u64 in, .param .u64 out"
WORDS = [f"{letter}{n}" for letter in "bus" for n in (16, 32, 64)]


@pytest.mark.parametrize("kind", [*WORDS, "f32", "f64"])
def test_moves(gpu: Any, tmp_path: Path, kind: str) -> None:
    (x,) = operands((kind,))
    check_same(Instruction(f"mov.{kind}", (kind,), kind).run(gpu, tmp_path, x), x, x)


@pytest.mark.parametrize("kind", [f"{letter}{n}" for letter in "bus" for n in (8, 16, 32)])
def test_loads_extend_by_their_type(gpu: Any, tmp_path: Path, kind: str) -> None:
    for value in (1, -1, -128):
        body = f"{ADDRESSES} ld.global.{kind} %d2, [%d0]; st.global.b64 [%d1], %d2; ret;"
        x = gpu.asarray(np.array([value % (1 << 64)], np.uint64))
        out = gpu.zeros(1, "i8")
        kernel(gpu, tmp_path, body, IN_OUT)((1,), (1,), (x, out))
        assert int(out[0]) == int(np.array([value]).astype(DTYPES[kind])[0])


@pytest.mark.parametrize("cache", ["", ".nc"])
@pytest.mark.parametrize(
    ("lanes", "kind"),
    [*((n, k) for n in (2, 4) for k in ("b8", "u8", "u16", "s16", "u32", "f32")), (2, "f64"), (2, "u64")],
)
def test_vectors(gpu: Any, tmp_path: Path, lanes: int, kind: str, cache: str) -> None:
    names = [register(kind, k) for k in range(2, 2 + lanes)]
    body = f"""{ADDRESSES}
    ld.global{cache}.v{lanes}.{kind} {{{", ".join(names)}}}, [%d0+16];
    st.global.v{lanes}.{kind} [%d1], {{{", ".join(reversed(names))}}};
    ret;"""
    x = operands((kind,))[0][:64]
    out = gpu.zeros(lanes, DTYPES[kind])
    kernel(gpu, tmp_path, body, IN_OUT)((1,), (1,), (gpu.asarray(x), out))
    first = 16 // x.itemsize
    check_same(gpu.asnumpy(out), x[first : first + lanes][::-1].copy())


def test_halves_of_a_register(gpu: Any, tmp_path: Path) -> None:
    body = f"""{ADDRESSES}
    ld.global.b64 %d2, [%d0];
    mov.b64 {{%r1, %r2}}, %d2;
    mov.b32 {{_, %h1}}, %r1;
    mov.b32 {{%h2, _}}, %r1;
    mov.b32 %r3, {{%h1, %h2}};
    mov.b64 %d3, {{%r2, %r3}};
    st.global.b64 [%d1], %d3;
    ret;"""
    x, out = gpu.asarray(np.array([0x1122334455667788], np.uint64)), gpu.zeros(1, "u8")
    kernel(gpu, tmp_path, body, IN_OUT)((1,), (1,), (x, out))
    assert int(out[0]) == 0x7788556611223344


@pytest.mark.parametrize("kind", ["u16", "u32", "s32", "f32", "f64", "u64"])
def test_parameters(gpu: Any, tmp_path: Path, kind: str) -> None:
    name = register(kind, 2)
    body = f"""
    ld.param.u64 %d1, [out];
    ld.param.{kind} {name}, [value];
    st.global.{kind} [%d1], {name};
    ret;"""
    (value,) = np.array([3], DTYPES[kind])
    out = gpu.zeros(1, DTYPES[kind])
    kernel(gpu, tmp_path, body, f".param .u8 first, .param .{kind} value, .param .u64 out")(
        (1,), (1,), (np.uint8(7), value, out)
    )
    assert out[0] == value


def test_a_structure_as_parameter(gpu: Any, tmp_path: Path) -> None:
    body = """
    ld.param.u64 %d1, [out];
    ld.param.u32 %r1, [structure+8];
    ld.param.v2.u32 {%r2, %r3}, [structure];
    add.u32 %r1, %r1, %r2;
    st.global.u32 [%d1], %r1;
    ret;"""
    structure = np.array([(5, 6, 7)], "u4, u4, u4")[0]
    out = gpu.zeros(1, "u4")
    run = kernel(gpu, tmp_path, body, ".param .align 4 .b8 structure[12], .param .u64 out")
    run((1,), (1,), (structure, out))
    assert int(out[0]) == 12


SHARED = """
    ld.param.u64 %d1, [out];
    mov.u32 %r0, %tid.x;
    mov.u32 %r1, %ntid.x;
    mov.u32 %r2, words;
    mad.lo.s32 %r3, %r0, 4, %r2;
    st.shared.u32 [%r3], %r0;
    bar.sync 0;
    sub.s32 %r4, %r1, %r0;
    sub.s32 %r4, %r4, 1;
    mad.lo.s32 %r3, %r4, 4, %r2;
    ld.shared.u32 %r5, [%r3];
    mov.u32 %r6, %ctaid.x;
    mad.lo.s32 %r6, %r6, %r1, %r0;
    mad.wide.u32 %d1, %r6, 4, %d1;
    st.global.u32 [%d1], %r5;
    ret;
"""


@pytest.mark.parametrize("dynamic", [False, True])
def test_shared_memory_is_the_blocks_and_barriers_wait(gpu: Any, tmp_path: Path, dynamic: bool) -> None:
    declared = ".shared .align 1 .b8 before[3];\n"
    declared += ".extern .shared .align 16 .b8 words[];" if dynamic else ".shared .align 4 .b8 words[400];"
    out = gpu.zeros(300, "u4")
    kernel(gpu, tmp_path, SHARED, outside=declared)((3,), (100,), (out,), shared_mem=400 * dynamic)
    assert (gpu.asnumpy(out) == np.tile(np.arange(100)[::-1], 3)).all()


def test_shared_memory_begins_without_zeros_in_each_block(emulated: Any, tmp_path: Path) -> None:
    body = """
    ld.param.u64 %d1, [out];
    mov.u32 %r6, %ctaid.x;
    mad.wide.u32 %d1, %r6, 4, %d1;
    ld.shared.u32 %r5, [words];
    st.global.u32 [%d1], %r5;
    st.shared.u32 [words], %r6;
    ret;"""
    out = emulated.zeros(3, "u4")
    kernel(emulated, tmp_path, body, outside=".shared .align 4 .b8 words[4];")((3,), (1,), (out,))
    assert (emulated.asnumpy(out) == 0xA5A5A5A5).all()


@pytest.mark.parametrize(
    ("kind", "offset"), [("u16", 1), ("u32", 2), ("f64", 4), ("v4.f32", 8), ("v2.f32", 4)]
)
def test_misaligned_accesses_fault(emulated: Any, tmp_path: Path, kind: str, offset: int) -> None:
    names = {"v4.f32": "{%f1, %f2, %f3, %f4}", "v2.f32": "{%f1, %f2}"}.get(kind, register(kind[-3:], 2))
    load = f"{ADDRESSES} ld.global.{kind} {names}, [%d0+{offset}]; ret;"
    store = f"{ADDRESSES} st.global.{kind} [%d1+{offset}], {names}; ret;"
    for body in (load, store):
        x = emulated.zeros(64, "f8")
        run = kernel(emulated, tmp_path, body, IN_OUT)
        assert "cudaErrorMisalignedAddress" in failure(emulated, run, (1,), (1,), (x, x))


@pytest.mark.parametrize("space", ["a host array", "freed memory", "beyond shared memory", "null"])
def test_accesses_outside_of_all_memory_fault(emulated: Any, tmp_path: Path, space: str) -> None:
    emulated.get_default_memory_pool().free_all_blocks()
    host = np.zeros(1000)
    freed = emulated.cuda.runtime.malloc(1 << 20)
    emulated.cuda.runtime.free(freed)
    address = {"a host array": host.ctypes.data, "freed memory": freed, "null": 0}.get(space, 1 << 20)
    where = "shared" if space == "beyond shared memory" else "global"
    load = f"ld.{where}.u32 %r1, [%d1]; st.shared.u32 [words], %r1;"
    for access in (load, f"st.{where}.u32 [%d1], 7;"):
        body = f"ld.param.u64 %d1, [out]; {access} ret;"
        run = kernel(emulated, tmp_path, body, outside=".shared .align 4 .b8 words[4];")
        assert "cudaErrorIllegalAddress" in failure(emulated, run, (1,), (1,), (np.uint64(address),))
    assert not host.any()
