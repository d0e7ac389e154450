"""Every kernel compiles for every architecture, to the instructions that were meant. No GPU is needed."""

import importlib.util
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from components import COMPONENTS
from conftest import REQUIRED
from floats import DTYPES

import gpu_sigmoid as gs
from gpu_sigmoid.lowering import lower_for

if "nvrtc" not in REQUIRED:
    pytest.importorskip("cupy", reason="CuPy is not installed: it brings the compiler's binding")

import cupy
from cupy._core._carray import Indexer
from cupy._core._kernel import _ArgInfo, _get_elementwise_kernel_code, _TypeMap
from cupy.cuda.compiler import _NVRTCProgram

from gpu_sigmoid.backends.cupy import elementwise, packed

NAMES = [(f, c) for f in gs.FUNCTIONS for c in COMPONENTS]
ARCHITECTURES = (80, 90, 100, 120)
# Some minutes, and some hundred kernels: set it to have all of them compiled for all architectures.
ALL = bool(os.environ.get("GPU_SIGMOID_ALL_KERNELS"))
SAMPLE = [(f, "value_and_grad") for f in gs.FUNCTIONS]


@cache
def nvdisasm() -> str | None:
    """Return the disassembler that comes with a Python package, else the one on the path."""
    spec = importlib.util.find_spec("nvidia")
    folders = spec.submodule_search_locations if spec else None
    places = [str(p) for folder in folders or () for p in Path(folder).rglob("nvdisasm")]
    return places[0] if places else shutil.which("nvdisasm")


@cache
def why_not() -> str | None:
    try:
        cubin('extern "C" __global__ void nothing() {}', 90)
    except Exception as error:
        return f"NVRTC does not compile here: {error}"
    return None if nvdisasm() else "nvdisasm is not installed"


@pytest.fixture(autouse=True)
def toolchain() -> None:
    reason = why_not()
    if reason:
        if "nvrtc" in REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)


def cubin(source: str, architecture: int) -> bytes:
    """Compile as CuPy does: it adds -ftz=true to everything."""
    options = ("-std=c++17", f"-arch=sm_{architecture}", "-ftz=true", *includes())
    compiled, _ = _NVRTCProgram(source, "kernel.cu", method="cubin").compile(options)
    # CuPy takes the last byte for the end of a string; the disassembler misses it
    return bytes(compiled) + b"\0"


@cache
def includes() -> tuple[str, ...]:
    """Return the options for CuPy's headers and CUDA's, which those include."""
    folders = [Path(cupy.__file__).parent / "_core" / "include"]
    if toolkit := cupy._environment.get_cuda_path():
        folders += [Path(toolkit) / "include", Path(toolkit) / "include" / "cccl"]
    return tuple(f"-I{folder}" for folder in folders)


def sass(source: str, architecture: int, directory: Path) -> list[str]:
    """Return the instructions of a kernel, without their predicates."""
    path = directory / "kernel.cubin"
    path.write_bytes(cubin(source, architecture))
    command = [nvdisasm() or "", "-c", str(path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # behind the kernel stands the division of what is out of range, which flushes nothing it returns
    text = text.split("\n$__internal", 1)[0]
    found = re.findall(r"^\s*/\*[0-9a-f]+\*/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)", text, re.MULTILINE)
    assert len(found) > 20
    return found


def check(instructions: list[str], dtype: str) -> None:
    def used(pattern: str) -> list[str]:
        return [i for i in instructions if re.match(pattern, i)]

    # registers did not suffice
    assert not used(r"(LDL|STL)\b")
    # a subnormal would become 0
    assert not used(r"(FADD|FMUL|FFMA|FSETP|FMNMX|FSEL|F2F)\S*\.FTZ")
    if dtype != "float64":
        assert not used(r"(DADD|DMUL|DFMA|DSETP|DMNMX|MUFU\.RCP64H|F2F\.F64|F2F\.F32\.F64|I2F\.F64)")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "name"), NAMES)
def test_packed(function: str, name: str, dtype: str, tmp_path: Path) -> None:
    program = lower_for(gs.FUNCTIONS[function].formula, name, dtype)
    instructions = sass(packed.source(program, dtype), 90, tmp_path)
    check(instructions, dtype)
    read = {o for operation in program.operations for o in operation.operands} & set(program.inputs)
    under_way = packed.under_way(program)
    assert sum(i.startswith("LDG.E.128") for i in instructions) == under_way * len(read)
    assert sum(i.startswith("STG.E.128") for i in instructions) == under_way * len(program.outputs)


def elementwise_source(function: str, name: str, dtype: str) -> str:
    """Return the whole source that ElementwiseKernel makes of its parts for strided arrays."""
    kernel: Any = elementwise.kernel(gs.FUNCTIONS[function].formula, name, dtype)
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
def test_elementwise(function: str, name: str, dtype: str, architecture: int, tmp_path: Path) -> None:
    check(sass(elementwise_source(function, name, dtype), architecture, tmp_path), dtype)


@pytest.mark.parametrize("architecture", [a for a in ARCHITECTURES if a != 90])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("function", "name"), NAMES if ALL else SAMPLE[-1:])
def test_packed_elsewhere(function: str, name: str, dtype: str, architecture: int, tmp_path: Path) -> None:
    program = lower_for(gs.FUNCTIONS[function].formula, name, dtype)
    instructions = sass(packed.source(program, dtype), architecture, tmp_path)
    check(instructions, dtype)
    assert any(i.startswith("LDG.E.128") for i in instructions)
