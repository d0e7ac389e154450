"""Kernels of one PTX instruction, for tests: each thread loads its operands and stores the result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {
    **{f"b{n}": np.dtype(f"u{n // 8}") for n in (8, 16, 32, 64)},
    **{f"u{n}": np.dtype(f"u{n // 8}") for n in (8, 16, 32, 64)},
    **{f"s{n}": np.dtype(f"i{n // 8}") for n in (8, 16, 32, 64)},
    "f16": np.dtype("f2"),
    "f32": np.dtype("f4"),
    "f64": np.dtype("f8"),
    "bf16": np.dtype("u2"),
    "pred": np.dtype("u1"),
}
THREADS = 128

KERNEL = """
.version 8.0
.target sm_90
.address_size 64
.visible .entry one(.param .u64 size, {parameters})
{{
    .reg .pred %p<8>;
    .reg .b16 %h<8>;
    .reg .b32 %r<8>;
    .reg .f32 %f<8>;
    .reg .b64 %d<8>;
    .reg .f64 %g<8>;
    .reg .b64 %at<8>;
    .reg .b32 %n<4>;
    mov.u32 %n0, %ctaid.x;
    mov.u32 %n1, %ntid.x;
    mov.u32 %n2, %tid.x;
    mad.lo.s32 %n3, %n0, %n1, %n2;
    cvt.u64.u32 %at0, %n3;
    ld.param.u64 %at1, [size];
    setp.ge.u64 %p0, %at0, %at1;
    @%p0 bra DONE;
{body}
DONE:
    ret;
}}
"""


@dataclass(frozen=True)
class Instruction:
    """An instruction by its whole name, the types of its operands, and of its result."""

    name: str
    operands: tuple[str, ...]
    result: str
    immediates: tuple[str, ...] = ()

    def run(self, cupy: Any, folder: Path, *arrays: np.ndarray) -> np.ndarray:
        """Return what the instruction gives for the elements of arrays."""
        path = folder / f"{self.name}.ptx"
        path.write_text(self.ptx())
        kernel = cupy.RawModule(path=str(path)).get_function("one")
        given = [cupy.asarray(a.view(DTYPES[k])) for a, k in zip(arrays, self.operands, strict=True)]
        out = cupy.zeros(arrays[0].size, DTYPES[self.result])
        size = arrays[0].size
        kernel((-(-size // THREADS),), (THREADS,), (np.int64(size), *given, out))
        return cupy.asnumpy(out)

    def ptx(self) -> str:
        names = [f"in{k}" for k in range(len(self.operands))]
        parameters = ", ".join(f".param .u64 {name}" for name in [*names, "out"])
        lines = []
        for k, (name, kind) in enumerate(zip(names, self.operands, strict=True)):
            lines += [
                *element_address(name, kind),
                f"ld.global.{memory_kind(kind)} {register(kind, k)}, [%at3];",
            ]
            if kind == "pred":
                lines += [f"ld.global.u8 %h{k}, [%at3];", f"setp.ne.s16 %p{k + 1}, %h{k}, 0;"]
                lines.pop(-3)
        sources = [
            predicate(k) if kind == "pred" else register(kind, k) for k, kind in enumerate(self.operands)
        ]
        target = "%p7" if self.result == "pred" else register(self.result, 7)
        lines += [f"{self.name} {', '.join([target, *sources, *self.immediates])};"]
        if self.result == "pred":
            lines += ["selp.b32 %r7, 1, 0, %p7;", "cvt.u16.u32 %h7, %r7;"]
        source = "%h7" if self.result == "pred" else target
        lines += [
            *element_address("out", self.result),
            f"st.global.{memory_kind(self.result)} [%at3], {source};",
        ]
        return KERNEL.format(parameters=parameters, body="\n".join(f"    {line}" for line in lines))


def predicate(k: int) -> str:
    return f"%p{k + 1}"


def element_address(parameter: str, kind: str) -> list[str]:
    """Return the lines that put the address of the thread's element of an array into %at3."""
    return [
        f"ld.param.u64 %at1, [{parameter}];",
        "cvta.to.global.u64 %at2, %at1;",
        f"mad.lo.s64 %at3, %at0, {DTYPES[kind].itemsize}, %at2;",
    ]


def memory_kind(kind: str) -> str:
    return {"pred": "u8", "f16": "b16", "bf16": "b16"}.get(kind, kind)


def register(kind: str, k: int) -> str:
    """Return a register: one of 8 bits lies in one of 16."""
    if kind in ("f32", "f64"):
        return f"%{'f' if kind == 'f32' else 'g'}{k}"
    return f"%{ {1: 'h', 2: 'h', 4: 'r', 8: 'd'}[DTYPES[kind].itemsize] }{k}"
