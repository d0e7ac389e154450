"""Every kernel compiles for every architecture, to the instructions that were meant. No GPU is needed."""

import os
from typing import Any

import pytest
from helpers.floats import DTYPES
from helpers.toolchain import ARCHITECTURES, check, sass

from gpu_sigmoid.lowering import lower_for
from gpu_sigmoid.modes import PUBLIC

pytest.importorskip("cupy", reason="CuPy is not installed: it brings the compiler's binding")

import cupy
from cupy._core._carray import Indexer
from cupy._core._kernel import _ArgInfo, _get_elementwise_kernel_code, _TypeMap

from gpu_sigmoid.backends.cupy import elementwise, packed
from gpu_sigmoid.registry import FUNCTIONS

pytestmark = pytest.mark.usefixtures("toolchain")

NAMES = [(f, c) for f in FUNCTIONS for c in PUBLIC]
# Some minutes, and some hundred kernels: set it to have all of them compiled for all architectures.
ALL = bool(os.environ.get("GPU_SIGMOID_ALL_KERNELS"))
SAMPLE = [(f, "value_and_grad") for f in FUNCTIONS]


def vectorised(function: str, name: str, dtype: str, pitched: bool = False) -> None:
    """Assert that a kernel loads and stores every array 16 bytes at a time."""
    method = FUNCTIONS[function].methods[name]
    program = lower_for(method.formula, method.mode, dtype)
    unroll = packed.unroll(len(program.inputs), len(program.outputs), dtype)
    instructions = sass(packed.source(program, dtype, unroll, pitched=pitched), 90)
    check(instructions, dtype)
    read = {o for operation in program.operations for o in operation.operands} & set(program.inputs)
    assert sum(i.startswith("LDG.E.128") for i in instructions) == unroll * len(read)
    assert sum(i.startswith("STG.E.128") for i in instructions) == unroll * len(program.outputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "name"), NAMES)
def test_packed(function: str, name: str, dtype: str) -> None:
    vectorised(function, name, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("function", "name"),
    NAMES if ALL else [(f, n) for f in ("glu", "swiglu") for n in ("value", "value_and_grad", "vjp")],
)
def test_pitched(function: str, name: str, dtype: str) -> None:
    """In pitched rows, of which a thread's is found by products: there is no division, which would call."""
    vectorised(function, name, dtype, pitched=True)


def elementwise_source(function: str, name: str, dtype: str) -> str:
    """Return the whole source that ElementwiseKernel makes of its parts for strided arrays."""
    method = FUNCTIONS[function].methods[name]
    kernel: Any = elementwise.kernel(method.formula, method.mode, dtype)
    array, indexer, axes = 1, 2, 2
    infos = [_ArgInfo(array, cupy.ndarray, p.dtype, axes, False, False) for p in kernel.params[:-1]]
    infos.append(_ArgInfo(indexer, Indexer, None, axes, True, False))
    code = _get_elementwise_kernel_code(
        tuple(infos), _TypeMap(()), kernel.params, kernel.operation, "elementwise", kernel.preamble
    )
    headers = ("complex.cuh", "carray.cuh", "atomics.cuh")
    return "".join([*(f"#include <cupy/{header}>\n" for header in headers), code])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("architecture", ARCHITECTURES if ALL else [90])
@pytest.mark.parametrize(("function", "name"), NAMES if ALL else SAMPLE)
def test_elementwise(function: str, name: str, dtype: str, architecture: int) -> None:
    check(sass(elementwise_source(function, name, dtype), architecture), dtype)


@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES if a != 90])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "name"), NAMES if ALL else SAMPLE[-1:])
def test_packed_elsewhere(function: str, name: str, dtype: str, architecture: int) -> None:
    method = FUNCTIONS[function].methods[name]
    program = lower_for(method.formula, method.mode, dtype)
    instructions = sass(
        packed.source(program, dtype, packed.unroll(len(program.inputs), len(program.outputs), dtype)),
        architecture,
    )
    check(instructions, dtype)
    assert any(i.startswith("LDG.E.128") for i in instructions)
