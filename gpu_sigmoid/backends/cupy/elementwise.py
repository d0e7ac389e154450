"""Any layout: `cupy.ElementwiseKernel` with the formula's source as its preamble."""

from collections.abc import Callable
from functools import cache
from typing import Any

import cupy
import numpy as np

from gpu_sigmoid.backends.cupy.storage import CONVERSIONS, STORAGES
from gpu_sigmoid.lowering import Program, cuda_source, lower_for
from gpu_sigmoid.modes import Mode


def launch(formula: Callable, mode: Mode, dtype: str, operands: tuple, results: tuple) -> None:
    """Compute `results`, of the shape that the operands broadcast to."""
    kernel(formula, mode, dtype)(*map(bits, operands), *map(bits, results))


def bits(operand: Any) -> Any:
    """Return a 16-bit operand as its bits, which the kernels take."""
    return operand.view(np.uint16) if operand.dtype.itemsize == 2 else operand


def converted(array: Any, dtype: np.dtype) -> Any:
    """Return an array converted to a wider dtype, subnormal numbers included.

    CuPy's own conversion to float64 turns subnormals of float32 and bfloat16 into 0.
    """
    if dtype != np.float64 or array.dtype.name not in WIDENED:
        return array.astype(dtype)
    return widening(array.dtype.name)(bits(array))


WIDENED = ("bfloat16", "float32")
"""The dtypes with subnormal numbers that are subnormal in float32."""


@cache
def widening(dtype: str) -> Any:
    storage = STORAGES[dtype]
    single = storage.load.format("x")
    return cupy.ElementwiseKernel(
        f"{storage.cupy_name} x",
        "float64 y",
        f'using namespace gpu_sigmoid; asm("cvt.f64.f32 %0, %1;" : "=d"(y) : "f"({single}));',
        f"{dtype}_to_float64",
        preamble=cuda_source() + CONVERSIONS,
    )


@cache
def kernel(formula: Callable, mode: Mode, dtype: str) -> Any:
    program = lower_for(formula, mode, dtype)
    ins, outs, operation, preamble = source(program, dtype)
    return cupy.ElementwiseKernel(ins, outs, operation, f"{program.name}_{dtype}", preamble=preamble)


def source(program: Program, dtype: str) -> tuple[str, str, str, str]:
    """Return ElementwiseKernel's parameters in and out, operation and preamble."""
    name = STORAGES[dtype].cupy_name
    ins = [f"in{i}" for i in range(len(program.inputs))]
    outs = [f"out{i}" for i in range(len(program.outputs))]
    return (
        ", ".join(f"{name} {parameter}" for parameter in ins),
        ", ".join(f"{name} {parameter}" for parameter in outs),
        operation(program, dtype, ins, outs),
        cuda_source(program) + CONVERSIONS,
    )


def operation(program: Program, dtype: str, ins: list[str], outs: list[str]) -> str:
    """Return the statements that compute lvalues `outs` from expressions `ins`."""
    storage = STORAGES[dtype]
    loads = [storage.load.format(name) for name in ins]
    temporaries = [f"y{i}" for i in range(len(outs))]
    call = f"{program.name}({', '.join(loads)}"
    if len(outs) == 1:
        lines = [f"const {program.format.c_type} y0 = {call});"]
    else:
        lines = [f"{program.format.c_type} {', '.join(temporaries)};", f"{call}, {', '.join(temporaries)});"]
    lines += [f"{out} = {storage.store.format(y)};" for out, y in zip(outs, temporaries, strict=True)]
    return "\n".join(["using namespace gpu_sigmoid;", *lines])
