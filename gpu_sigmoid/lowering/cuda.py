"""A program as CUDA C++, which a host compiler accepts too.

The same text runs on the GPU and, to prove that it gives the CPU's bits, under a host compiler that
conforms to IEEE 754 (g++ -ffp-contract=off).
"""

import math
import struct

from gpu_sigmoid.lowering.constants import FLOAT32, FLOAT64, Format
from gpu_sigmoid.lowering.language import Value
from gpu_sigmoid.lowering.primitives import PRIMITIVES, Primitive
from gpu_sigmoid.lowering.program import Program

PRELUDE = """\
#ifdef __CUDACC__
#define GS_FUNCTION __device__ __forceinline__
#else
#if defined(__FAST_MATH__) || defined(_M_FP_FAST)
#error "gpu_sigmoid: -ffast-math (-Ofast, /fp:fast) alters the results; compile this file without it"
#endif
#include <cmath>
#include <cstring>
#define GS_FUNCTION inline
using std::memcpy;
#endif

namespace gpu_sigmoid {

template <class To, class From> GS_FUNCTION To bit_cast(From from) {
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
"""


def cuda_source(*programs: Program) -> str:
    """Return C++ that defines the programs' functions in namespace `gpu_sigmoid`.

    A program with several outputs returns them through trailing reference parameters. One translation unit
    may contain several such texts: functions that are already defined are skipped.
    """
    primitives = [primitive_source(p, format) for format in (FLOAT32, FLOAT64) for p in PRIMITIVES]
    common = guarded("GPU_SIGMOID_PRIMITIVES", "\n".join([PRELUDE, *dict.fromkeys(primitives), "}"]))
    functions = [
        guarded(f"GPU_SIGMOID_{program.name}_{program.format.c_type}".upper(), function_source(program))
        for program in programs
    ]
    return "\n".join([common, "namespace gpu_sigmoid {", *functions, "}  // namespace gpu_sigmoid\n"])


def guarded(macro: str, text: str) -> str:
    return f"#ifndef {macro}\n#define {macro}\n{text}\n#endif"


def c_types(format: Format) -> dict[str, str]:
    """Return the C++ type of each kind of operand."""
    return {"f": format.c_type, "i": format.c_bits_type, "b": "bool"}


def primitive_source(primitive: Primitive, format: Format) -> str:
    types = c_types(format)
    parameters = ", ".join(f"{types[kind]} {x}" for kind, x in zip(primitive.operands, "abc", strict=False))
    host = primitive.cxx.replace("<I>", f"<{types['i']}>").replace("<F>", f"<{types['f']}>")
    head = f"GS_FUNCTION {types[primitive.result]} {spelled(primitive.name)}({parameters})"
    if not primitive.alterable:
        return f"{head} {{ return {host}; }}"
    device = device_body(primitive, format)
    return f"{head} {{\n#ifdef __CUDA_ARCH__\n{device}#else\n    return {host};\n#endif\n}}"


def device_body(primitive: Primitive, format: Format) -> str:
    parameters = "abc"[: len(primitive.operands)]
    inputs = ", ".join(f'"{format.constraint}"({x})' for x in parameters)
    boolean = primitive.result == "b"
    type, constraint = ("unsigned int", "r") if boolean else (format.c_type, format.constraint)
    text = primitive.inline_ptx(format.ptx, "%")
    return f'    {type} r;\n    asm("{text}" : "={constraint}"(r) : {inputs});\n    return r;\n'


def function_source(program: Program) -> str:
    types = c_types(program.format)
    floating = types["f"]
    name = program.names
    name |= {c: literal(c, program.format) for c in program.constants}
    used = {o for operation in program.operations for o in operation.operands} | set(program.outputs)
    # compilers warn of a parameter that has a name and no use
    parameters = [f"{floating} {name[v] if v in used else f'/* {name[v]} */'}" for v in program.inputs]
    single = len(program.outputs) == 1
    if not single:
        parameters += [f"{floating}& out{i}" for i in range(len(program.outputs))]
    lines = [f"GS_FUNCTION {floating if single else 'void'} {program.name}({', '.join(parameters)}) {{"]
    for operation in program.operations:
        operands = ", ".join(name[o] for o in operation.operands)
        call = f"{spelled(operation.name)}({operands})"
        lines.append(f"    const {types[operation.kind]} {name[operation]} = {call};")
    if single:
        lines.append(f"    return {name[program.outputs[0]]};")
    else:
        lines += [f"    out{i} = {name[v]};" for i, v in enumerate(program.outputs)]
    return "\n".join([*lines, "}"])


def literal(constant: Value, format: Format) -> str:
    if constant.kind == "i":
        return integer_literal(constant.payload, format)
    number = float.fromhex(constant.payload)
    if math.isfinite(number):
        # C++ has hexadecimal literals only from C++17 on; these digits give the same double, so that even a
        # compiler that reads a float literal as a double first makes the same float of it
        return repr(number) + ("f" if format is FLOAT32 else "")
    # neither infinity nor nan has a literal
    pattern = int.from_bytes(struct.pack(">f" if format is FLOAT32 else ">d", number))
    return f"bit_cast<{format.c_type}>({integer_literal(pattern, format)})"


def integer_literal(number: int, format: Format) -> str:
    return f"{number:#x}" + ("u" if format is FLOAT32 else "ull")


def spelled(primitive: str) -> str:
    # `abs`, `div` and `and` have other meanings in C and C++
    return primitive.removesuffix("_") + "_"
