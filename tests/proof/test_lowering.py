"""The lowering: what it refuses, what it prints, and that both targets agree."""

import ctypes
import re
from typing import Any

import numpy as np
import pytest
from helpers import host_compiler
from helpers.floats import all_patterns, random_patterns
from helpers.methods import as_tuple, mode, operands

from gpu_sigmoid.backends.cpu.compile import scalar_function, signature_of
from gpu_sigmoid.backends.cpu.groups import INTERLEAVED
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, UFuncBuilder
from gpu_sigmoid.lowering import cuda_source, lower
from gpu_sigmoid.lowering.constants import FORMATS
from gpu_sigmoid.lowering.language import FormulaError, fma, where
from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.registry import FUNCTIONS


def branches(x):
    if x < 0.0:
        return x
    return -x


def loops(x):
    for _ in range(3):
        x = x * x
    return (x,)


def calls(x):
    return (float(x),)


def inexact(x):
    return (x * 0.1,)


def chained(x):
    return (where(0.0 < x < 1.0, x, -x),)


def keyword(x):
    return (fma(x, x, c=x),)


def asks_for_nan(x):
    return (where(abs(x) >= 0.0, x, 1.0),)


def chooses_the_other_zero(x):
    return (where(x < 0.0, -0.0, x),)


def two_results(x):
    return x, x


def no_derivative(x):
    return x


def no_float(x):
    return x < 0.0, 1.0, 0.0


@pytest.mark.parametrize(
    ("formula", "line", "words"),
    [
        (two_results, 0, "returns 2 results; accepted are the value"),
        (no_derivative, 0, "no derivative"),
        (no_float, 0, "a result that is no float"),
        (branches, 1, "If"),
        (loops, 1, "For"),
        (calls, 1, "'float'"),
        (inexact, 1, "make it a Constant"),
        (chained, 1, "Compare"),
        (keyword, 1, "Call"),
        (asks_for_nan, 1, "takes to hold, of nan too"),
        (chooses_the_other_zero, 1, "the zero not compared with"),
    ],
)
def test_refused_with_file_and_line(formula: Any, line: int, words: str) -> None:
    with pytest.raises(FormulaError, match=words) as caught:
        lower(formula, mode("grad"), FORMATS["float32"])
    assert caught.value.filename == __file__
    assert caught.value.lineno == formula.__code__.co_firstlineno + line


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_loop_is_vectorised_and_calls_no_libm(function: Any, dtype: str) -> None:
    format = FORMATS["float64" if dtype == "float64" else "float32"]
    program = lower(function.formula, function.methods["value_and_grad"].mode, format)
    builder = UFuncBuilder(scalar_function(program, dtype), None, cache=False, targetoptions={})
    builder.add(signature_of(program, ELEMENT[dtype]))
    llvm = builder.kernel.inspect_llvm()
    scalar = "double" if dtype == "float64" else "float"
    divisions = sum(operation.name == "div" for operation in program.operations)
    vectors = [f"<{lanes} x {scalar}>" for lanes in (2, 4, 8, 16)]
    assert max(llvm.count(f"fdiv {vector}") for vector in vectors) >= divisions * INTERLEAVED
    assert not any(f"@{name}" in llvm for name in ("exp", "expf", "log1p", "log1pf", "log", "logf"))
    if scalar == "float":
        assert not re.search(r"\bdouble\b", llvm)


@pytest.fixture(scope="module")
def host_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The printed C++ of every mode, in a loop, built for the host."""
    programs = [
        lower(f.formula, f.methods[c].mode, format)
        for format in FORMATS.values()
        for f in FUNCTIONS.values()
        for c in PUBLIC
    ]
    loops = []
    for program in programs:
        real, ins, outs = program.format.c_type, len(program.inputs), len(program.outputs)
        pointers = [f"const {real}* in{i}" for i in range(ins)] + [f"{real}* out{i}" for i in range(outs)]
        arguments = ", ".join(f"in{i}[k]" for i in range(ins))
        results = ", ".join(f"out{i}[k]" for i in range(outs))
        many = f"gpu_sigmoid::{program.name}({arguments}, {results});"
        one = f"out0[k] = gpu_sigmoid::{program.name}({arguments});"
        loops.append(
            f'extern "C" void {program.name}_{program.format.name}(long n, {", ".join(pointers)}) '
            f"{{ for (long k = 0; k < n; ++k) {many if outs > 1 else one} }}"
        )
    directory = tmp_path_factory.mktemp("host")
    return host_compiler.library(directory, "\n".join([cuda_source(*programs), *loops]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PUBLIC)
def test_cuda_source_on_the_host_gives_the_same_bits(
    function: Any, name: str, dtype: str, host_library: ctypes.CDLL
) -> None:
    x = all_patterns("float32", 4_001) if dtype == "float32" else random_patterns(1_000_000, 2)
    arguments = operands(function, name, np.concatenate([x, np.linspace(-20, 20, 10_001, dtype=x.dtype)]))
    got = function.methods[name](*arguments)
    want = tuple(np.empty_like(arguments[0]) for _ in as_tuple(got))
    loop = getattr(host_library, f"{function.__name__}_{name}_{dtype}")
    loop(ctypes.c_long(arguments[0].size), *(ctypes.c_void_p(a.ctypes.data) for a in (*arguments, *want)))
    for y, w in zip(as_tuple(got), want, strict=True):
        # which of several nans is not part of the promise
        same = (y.view(f"u{y.itemsize}") == w.view(f"u{y.itemsize}")) | (np.isnan(y) & np.isnan(w))
        assert same.all()
