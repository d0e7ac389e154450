"""Triton: the textbook formulas as kernels one would write by hand, on torch's tensors."""

from collections.abc import Callable
from typing import Any

import triton
import triton.language as tl

from bench.cases import Case
from bench.peers.torch import tensor

BLOCK = 1024


@triton.jit
def sigmoid(x):
    return tl.sigmoid(x)


@triton.jit
def log_sigmoid(x):
    return -tl.log(1 + tl.exp(-x))


@triton.jit
def softplus(x):
    return tl.log(1 + tl.exp(x))


@triton.jit
def silu(x):
    return x * tl.sigmoid(x)


@triton.jit
def tanh(x):
    return 2 * tl.sigmoid(2 * x) - 1


@triton.jit
def sigmoid_prime(x):
    s = tl.sigmoid(x)
    return s * (1 - s)


FORMULAS = {
    ("sigmoid", "value"): (sigmoid,),
    ("sigmoid", "grad"): (sigmoid_prime,),
    ("sigmoid", "value_and_grad"): (sigmoid, sigmoid_prime),
    ("log_sigmoid", "value"): (log_sigmoid,),
    ("softplus", "value"): (softplus,),
    ("silu", "value"): (silu,),
    ("tanh", "value"): (tanh,),
}


@triton.jit
def one(x, y, size, formula: tl.constexpr, working: tl.constexpr, block: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = i < size
    tl.store(y + i, formula(tl.load(x + i, mask=inside).to(working)), mask=inside)


@triton.jit
def two(x, y, z, size, f: tl.constexpr, g: tl.constexpr, working: tl.constexpr, block: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = i < size
    operand = tl.load(x + i, mask=inside).to(working)
    tl.store(y + i, f(operand), mask=inside)
    tl.store(z + i, g(operand), mask=inside)


@triton.jit
def glu_and_derivatives(a, b):
    s = tl.sigmoid(b)
    return a * s, s, a * s * (1 - s)


@triton.jit
def swiglu_and_derivatives(a, b):
    s = tl.sigmoid(a)
    return a * s * b, s * (1 + a * (1 - s)) * b, a * s


GATED = {"glu": glu_and_derivatives, "swiglu": swiglu_and_derivatives}


@triton.jit
def gated(
    a,
    b,
    g,
    y,
    by_a,
    by_b,
    columns,
    pitch,
    gradient_pitch,
    formula: tl.constexpr,
    has_value: tl.constexpr,
    has_gradients: tl.constexpr,
    weighted: tl.constexpr,
    working: tl.constexpr,
    block: tl.constexpr,
):
    programs = tl.cdiv(columns, block)
    row = (tl.program_id(0) // programs).to(tl.int64)
    i = (tl.program_id(0) % programs).to(tl.int64) * block + tl.arange(0, block)
    inside = i < columns
    left = tl.load(a + row * pitch + i, mask=inside).to(working)
    right = tl.load(b + row * pitch + i, mask=inside).to(working)
    value, left_slope, right_slope = formula(left, right)
    if has_value:
        tl.store(y + row * columns + i, value, mask=inside)
    if weighted:
        weight = tl.load(g + row * columns + i, mask=inside).to(working)
        left_slope *= weight
        right_slope *= weight
    if has_gradients:
        tl.store(by_a + row * gradient_pitch + i, left_slope, mask=inside)
        tl.store(by_b + row * gradient_pitch + i, right_slope, mask=inside)


def prepare_gated(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    """Return a kernel as networks' libraries have it: rows of halves, or all in one row."""
    if case.layout not in ("out", "packed") or case.mode not in ("value", "value_and_grad", "vjp"):
        return None
    a, b, *g = (tensor(x, case) for x in inputs)
    results = [tensor(x, case) for x in outs]
    y, by_a, by_b = results[0], results[-2:][0], results[-1]
    columns = a.shape[-1]
    has_value, has_gradients = case.mode != "vjp", case.mode != "value"
    kernel = gated[(case.size // columns * triton.cdiv(columns, BLOCK),)]
    pitches = a.stride(0), by_a.stride(0)
    flags = has_value, has_gradients, bool(g)
    working = tl.float64 if case.dtype == "float64" else tl.float32
    arrays = a, b, g[0] if g else a, y, by_a, by_b
    return lambda: kernel(*arrays, columns, *pitches, GATED[case.function], *flags, working, BLOCK)


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    if case.function in GATED:
        return prepare_gated(case, inputs, outs)
    formulas = FORMULAS.get((case.function, case.mode))
    if formulas is None or case.layout != "out":
        return None
    tensors = [tensor(a, case) for a in (*inputs, *outs)]
    working = tl.float64 if case.dtype == "float64" else tl.float32
    kernel = (one, two)[len(formulas) - 1][(triton.cdiv(case.size, BLOCK),)]
    return lambda: kernel(*tensors, case.size, *formulas, working, BLOCK)
