"""The building blocks of a kernel's loop as Numba intrinsics: LLVM and inline PTX."""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gpu_sigmoid.backends.conversions import bfloat_to_float, float_to_bfloat
from gpu_sigmoid.dtypes import DTYPES, numpy_dtype
from gpu_sigmoid.lowering import Program, llvm, nvvm
from gpu_sigmoid.lowering.constants import FORMATS, Format

GLOBAL_MEMORY = 1


def scalar_type(format: Format) -> Any:
    return getattr(types, format.name)


def scalar(program: Program) -> Any:
    """Return the intrinsic that computes a program; several outputs are a tuple."""
    floating = scalar_type(program.format)
    outputs = len(program.outputs)

    def typed(*operands: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            results = nvvm.emit(program, builder, values)
            return context.make_tuple(builder, signature.return_type, results) if outputs > 1 else results[0]

        result = floating if outputs == 1 else types.UniTuple(floating, outputs)
        return result(*[floating] * len(operands)), emit

    by_arity: dict[int, Callable] = {
        1: lambda context, a: typed(a),
        2: lambda context, a, b: typed(a, b),
        3: lambda context, a, b, c: typed(a, b, c),
        4: lambda context, a, b, c, d: typed(a, b, c, d),
    }
    return intrinsic(by_arity[len(program.inputs)])


def load(dtype: str, format: Format) -> Any:
    """Return the intrinsic (address, offset) -> the element there, in a program's format."""

    @intrinsic
    def load_element(context: Any, address: Any, offset: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return widened(builder, builder.load(pointer(builder, values, dtype)), dtype, format)

        return scalar_type(format)(types.int64, types.int64), emit

    return load_element


def store(dtype: str) -> Any:
    """Return the intrinsic (address, offset, value) that stores a value, rounded once."""

    @intrinsic
    def store_element(context: Any, address: Any, offset: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            element = values[2]
            if dtype == "float16":
                # without .ftz, so that subnormals are kept whatever the compiler options
                element = nvvm.assembly(builder, "cvt.rn.f16.f32 $0, $1;", ir.IntType(16), "f", [element])
            elif dtype == "bfloat16":
                element = float_to_bfloat(builder, element)
            builder.store(element, pointer(builder, values, dtype))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, value), emit

    return store_element


def pointer(builder: Any, values: Any, dtype: str) -> Any:
    element = stored(dtype)
    return builder.inttoptr(builder.add(values[0], values[1]), ir.PointerType(element, GLOBAL_MEMORY))


def stored(dtype: str) -> Any:
    """Return the type of an element in memory; 16-bit floats are stored as their bits."""
    if dtype in FORMATS:
        return llvm.floating(FORMATS[dtype])
    return ir.IntType(8 * numpy_dtype(dtype).itemsize)


def widened(builder: Any, element: Any, dtype: str, format: Format) -> Any:
    """Convert an element to a format that holds it; integers are rounded to float64."""
    wide = llvm.floating(format)
    if dtype not in DTYPES:
        convert = builder.sitofp if np.dtype(dtype).kind == "i" else builder.uitofp
        return convert(element, wide)
    if dtype == "float16":
        element = nvvm.assembly(builder, "cvt.f32.f16 $0, $1;", ir.FloatType(), "h", [element])
    elif dtype == "bfloat16":
        element = bfloat_to_float(builder, element)
    return element if element.type == wide else builder.fpext(element, wide)
