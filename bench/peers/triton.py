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


def prepare(case: Case, inputs: tuple, outs: tuple) -> Callable[[], Any] | None:
    formulas = FORMULAS.get((case.function, case.mode))
    if formulas is None or case.layout != "out":
        return None
    tensors = [tensor(a, case) for a in (*inputs, *outs)]
    working = tl.float64 if case.dtype == "float64" else tl.float32
    kernel = (one, two)[len(formulas) - 1][(triton.cdiv(case.size, BLOCK),)]
    return lambda: kernel(*tensors, case.size, *formulas, working, BLOCK)
