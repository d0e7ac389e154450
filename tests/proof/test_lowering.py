"""The lowering: what it refuses, and that the compiled loops are vectorised."""

import re
from typing import Any

import pytest
from helpers.methods import mode

from gpu_sigmoid.backends.cpu.compile import scalar_function, signature_of
from gpu_sigmoid.backends.cpu.groups import INTERLEAVED
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, UFuncBuilder
from gpu_sigmoid.lowering import lower
from gpu_sigmoid.lowering.constants import FORMATS
from gpu_sigmoid.lowering.language import FormulaError, fma, where


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
