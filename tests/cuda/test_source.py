"""gs.cuda_source: the text compiles for the GPU, and on the host gives the kernels' bits."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import host_compiler
from helpers.calls import same_bits
from helpers.command import done
from helpers.floats import all_patterns, random_patterns
from helpers.methods import as_tuple, operands
from helpers.required import missing

import gpu_sigmoid as gs
from gpu_sigmoid.lowering import cuda, lower
from gpu_sigmoid.lowering.constants import FLOAT32, FLOAT64
from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.registry import FUNCTIONS

C_TYPES = {"float32": "float", "float64": "double"}


def sample(dtype: str) -> np.ndarray:
    x = all_patterns("float32", 4_001) if dtype == "float32" else random_patterns(1_000_000, 6)
    return np.concatenate([x, np.linspace(-20, 20, 10_001, dtype=x.dtype)])


def loop(function: Any, name: str, dtype: str) -> str:
    """Return a C function that applies one mode to arrays."""
    inputs = len(operands(function, name, np.ones(1)))
    outputs = len(function.methods[name].mode.partials)
    pointers = [f"const {C_TYPES[dtype]}* x{i}" for i in range(inputs)]
    pointers += [f"{C_TYPES[dtype]}* y{i}" for i in range(outputs)]
    arguments = ", ".join(f"x{i}[i]" for i in range(inputs))
    called = f"gpu_sigmoid::{function.__name__}_{name}({arguments}"
    results = ", ".join(f"y{i}[i]" for i in range(outputs))
    body = f"{called}, {results})" if outputs > 1 else f"y0[i] = {called})"
    return (
        f'extern "C" void {function.__name__}_{name}_{dtype}(long n, {", ".join(pointers)})'
        f" {{ for (long i = 0; i < n; i++) {body}; }}"
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder: Path = tmp_path_factory.mktemp("source")
    loops = [loop(f, name, dtype) for f in FUNCTIONS.values() for name in PUBLIC for dtype in C_TYPES]
    methods = [f.methods[name] for f in FUNCTIONS.values() for name in PUBLIC]
    return host_compiler.library(folder, "\n".join([gs.cuda_source(*methods), *loops]))


@pytest.mark.parametrize("dtype", C_TYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_the_kernels_bits(function: Any, name: str, dtype: str, library: ctypes.CDLL) -> None:
    arrays = operands(function, name, sample(dtype))
    want = as_tuple(function.methods[name](*arrays))
    got = tuple(np.empty_like(w) for w in want)
    call = getattr(library, f"{function.__name__}_{name}_{dtype}")
    call(ctypes.c_long(len(arrays[0])), *(ctypes.c_void_p(a.ctypes.data) for a in (*arrays, *got)))
    assert same_bits(got, want)


def compiled(source: str, *options: str) -> str:
    """Return the PTX that NVRTC, which needs no driver, makes of a text."""
    try:
        from cuda.bindings import nvrtc
    except ImportError as error:
        missing("numba-cuda", f"cuda-bindings, which come with numba-cuda, are not installed: {error}")

    def checked(result: tuple) -> Any:
        assert result[0] == nvrtc.nvrtcResult.NVRTC_SUCCESS
        return result[1] if len(result) > 1 else None

    program = checked(nvrtc.nvrtcCreateProgram(source.encode(), b"source.cu", 0, [], []))
    flags = [option.encode() for option in ("--gpu-architecture=compute_90", *options)]
    checked(nvrtc.nvrtcCompileProgram(program, len(flags), flags))
    text = b" " * checked(nvrtc.nvrtcGetPTXSize(program))
    checked(nvrtc.nvrtcGetPTX(program, text))
    return text.decode()


def test_compiles_for_the_gpu_with_cupys_flags() -> None:
    kernel = """
    extern "C" __global__ void gated(int n, const float* x, const float* y, float* z) {
        int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) z[i] = y[i] * gpu_sigmoid::sigmoid_value(x[i]);
    }"""
    text = compiled(gs.cuda_source())
    assert ".version" in text
    assert compiled(gs.cuda_source(), "--std=c++11") == text
    text = compiled(gs.cuda_source(gs.sigmoid) + kernel, "-ftz=true", "--std=c++17")
    # the caller's product alone obeys the caller's flag; a division's first guess is of normal numbers
    flushing = re.findall(r"\S*\.ftz\S*", text)
    assert sorted(flushing) == ["mul.ftz.f32", "rcp.approx.ftz.f32"]
    assert ".f64" not in text


def test_texts_may_follow_each_other() -> None:
    twice = [gs.cuda_source(gs.silu), gs.cuda_source(gs.silu.grad, gs.silu), gs.cuda_source(gs.silu)]
    assert ".version" in compiled("".join(twice))


def test_the_commands_header_is_taken_by_compilers(tmp_path: Path) -> None:
    (tmp_path / "logistic.cuh").write_text(done("source"))
    assert "double silu_grad(double x)" in (tmp_path / "logistic.cuh").read_text()
    assert "double" not in done("source", "--function", "logit", "--dtype", "float32")[-2000:]
    source = tmp_path / "kernel.cu"
    source.write_text(
        '#include "logistic.cuh"\n#include "logistic.cuh"\n__global__ void kernel(double* x)'
        " { *x = gpu_sigmoid::silu_value(*x); }\n"
    )
    if shutil.which("nvcc") is None:
        pytest.skip("nvcc is not installed")
    for flags in ([], ["-ftz=true", "-use_fast_math"]):
        command = ["nvcc", "-arch=sm_90", "-cubin", *flags, "-o", tmp_path / "kernel.cubin", source]
        subprocess.run(command, check=True, capture_output=True)


@pytest.mark.parametrize("standard", ["c++11", "c++17"])
def test_a_host_compiler_finds_nothing_to_warn_of_and_refuses_fast_math(
    tmp_path: Path, standard: str
) -> None:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    (tmp_path / "logistic.cpp").write_text(gs.cuda_source())
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
    command = ["g++", f"-std={standard}", *warnings, "-fsyntax-only", tmp_path / "logistic.cpp"]
    subprocess.run(command, check=True)
    refused = subprocess.run([*command, "-Ofast"], capture_output=True, text=True)
    assert refused.returncode
    assert "-ffast-math" in refused.stderr


@pytest.mark.parametrize("format", [FLOAT32, FLOAT64], ids=lambda format: format.name)
def test_every_constant_is_spelled_without_rounding(format: Any) -> None:
    programs = [lower(m.formula, m.mode, format) for f in FUNCTIONS.values() for m in f.methods.values()]
    constants = {c.payload: c for program in programs for c in program.constants if c.kind == "f"}
    assert len(constants) > 50
    for payload, constant in constants.items():
        number, text = float.fromhex(payload), cuda.literal(constant, format)
        if not np.isfinite(number):
            continue
        digits = re.fullmatch(r"(-?\d+(?:\.\d+|(?=e))(?:e[+-]\d+)?)f?", text)
        assert digits, text
        assert float(digits[1]).hex() == number.hex()
        assert text.endswith("f") == (format is FLOAT32)


def test_holds_what_was_asked_for() -> None:
    source = gs.cuda_source(gs.silu.grad, gs.bce_with_logits, dtype="float32")
    assert "float silu_grad(float x)" in source
    assert "float bce_with_logits_value(float x, float target)" in source
    assert "double silu_grad" not in source
    assert "silu_value" not in source


def test_refusals_say_what_is_accepted() -> None:
    for dtype in ("float16", np.float32, ("float32", "half"), (), None):
        with pytest.raises(ValueError, match="must be float32, float64 or a tuple of them, not "):
            gs.cuda_source(gs.sigmoid, dtype=dtype)
    for wrong in (np.exp, "sigmoid", [].append):
        with pytest.raises(TypeError, match="not a function of gpu_sigmoid"):
            gs.cuda_source(wrong)
