"""a * b + c as CPUs without an instruction for it compute it, against the instruction.

GPU_SIGMOID_FUSED=1000000000 tries as many operands of each format, in each way.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
import pytest
from helpers.floats import DTYPES
from llvmlite import binding
from numba.extending import intrinsic

from gpu_sigmoid.backends.cpu.multiply_add import (
    emulated,
    narrow,
    narrow_exact,
    rounded_twice,
    wide,
    wide_exact,
)
from gpu_sigmoid.backends.cpu.native import functions
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, TARGET
from gpu_sigmoid.lowering.constants import FLOAT32, FLOAT64, Constant
from gpu_sigmoid.lowering.innocuous import may_be_rounded_twice
from gpu_sigmoid.lowering.language import Graph, bits, fma, from_bits, trace, where
from gpu_sigmoid.lowering.primitives import fabs

OPERANDS = int(os.environ.get("GPU_SIGMOID_FUSED", "8000000"))
BATCH = 20_000

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]


def by_instruction(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.fma(a, b, c)


def where_certain(quick: Callable, exact: Callable, is_ordinary: bool) -> Callable:
    """Return what emits the quick result where it is certain, elsewhere the exact one."""

    def emit(builder: Any, a: Any, b: Any, c: Any) -> Any:
        result, doubtful = quick(builder, a, b, c, is_ordinary)
        if is_ordinary:
            size = fabs(builder, c)
            for bound, beyond in ((2.0**-100, "<="), (2.0**100, ">=")):
                doubtful = builder.or_(doubtful, builder.fcmp_unordered(beyond, size, c.type(bound)))
        return builder.select(doubtful, exact(builder, a, b, c), result)

    return emit


def ways(quick: Callable, exact: Callable) -> dict[str, Callable]:
    ordinary, any_addend = (where_certain(quick, exact, is_ordinary) for is_ordinary in (True, False))
    return {"called": emulated, "exact": exact, "quick": any_addend, "ordinary": ordinary}


WAYS = {"float32": ways(narrow, narrow_exact), "float64": ways(wide, wide_exact)}


def ufunc(emit: Callable, name: str, dtype: str) -> np.ufunc:
    """Return the ufunc of three operands that computes what `emit` emits."""

    @intrinsic
    def fma(context: Any, a: Any, b: Any, c: Any) -> Any:
        return c(a, b, c), lambda context, builder, signature, values: emit(builder, *values)

    source = "def scalar(a, b, c):\n    return fma(a, b, c)\n"
    scalar = functions(source, {"fma": fma}, f"fused_{name}_{dtype}")["scalar"]
    element = ELEMENT[dtype]
    return numba.vectorize([element(*[element] * 3)], target=TARGET, cache=False)(scalar)


class Hard:
    """Draws operands in whose sums of products rounding is hard."""

    def __init__(self, dtype: str) -> None:
        self.float = DTYPES[dtype]
        self.bits = np.dtype(f"uint{8 * self.float.itemsize}")
        info = np.finfo(self.float)
        self.digits, self.highest, self.lowest = info.nmant, info.maxexp, info.minexp
        self.random = np.random.default_rng(self.digits)

    def batches(self) -> Iterator[Triple]:
        """Yield batches without end; in most all operands are of one kind, so that whole vectors are."""
        yield from self.specials()
        while True:
            any_bits = self.random.integers(0, 2 ** (8 * self.bits.itemsize), (3, BATCH), self.bits)
            yield tuple(any_bits.view(self.float))
            for low, high in self.magnitudes():
                yield from self.sums(self.random.integers(low, high + 1, BATCH))

    def magnitudes(self) -> list[tuple[int, int]]:
        """Return ranges of exponents of products."""
        last = self.lowest - self.digits
        return [
            (self.lowest, self.highest),
            (last - self.digits, self.lowest + 3 * self.digits),
            # half of the last place of subnormal numbers
            (last - 1, last - 1),
            (self.highest - 3, self.highest + 1),
            # the errors of sums in float64 are around 1, and those of their low parts
            (51, 55),
            (104, 108),
            (-self.digits, self.digits),
        ]

    def sums(self, exponents: np.ndarray) -> Iterator[Triple]:
        """Yield products with given exponents and addends of any size, and such as leave the last places."""
        left = self.random.integers(self.lowest // 2, self.highest // 2, BATCH)
        few = int(self.random.integers(1, self.digits))
        factors = self.numbers(left, few), self.numbers(exponents - left, self.digits - few)
        # (1 + u)(1 - u), beside a power of two, and (1 + u)(1 + v), half-way between two numbers
        u = np.ldexp(1.0, self.random.integers(-self.digits, 0, BATCH))
        close = self.scaled(1 + u, left), self.scaled(1 - u, exponents - left)
        tied = self.scaled(1 + u, left), self.scaled(1 + 2.0 ** -(self.digits + 1) / u, exponents - left)
        for a, b in (factors, close, tied):
            distances = self.random.integers(-3 * self.digits, 3 * self.digits, BATCH)
            yield a, b, self.numbers(exponents + distances, few)
            yield a, b, self.numbers(exponents + self.digits + self.random.integers(3, size=BATCH), few)
            yield a, b, self.numbers(np.full(BATCH, self.lowest), 1)
            places = self.bits.type(2) - self.random.integers(0, 5, BATCH, self.bits)
            with np.errstate(all="ignore"):
                yield a, b, -((a * b).view(self.bits) + places).view(self.float)
            subnormal = self.random.integers(0, 4 << self.random.choice([0, few]), BATCH, self.bits)
            yield a, b, np.copysign(subnormal.view(self.float), self.numbers(left, 1))

    def numbers(self, exponents: np.ndarray, few: int) -> np.ndarray:
        """Return numbers of few digits, half of them with errors in the last places."""
        mantissas = 1 + np.ldexp(np.floor(np.ldexp(self.random.random(BATCH), few)), -few)
        errors = self.random.integers(-2, 3, BATCH) * self.random.integers(0, 2, BATCH)
        return self.scaled(mantissas + np.ldexp(errors, -self.digits), exponents)

    def scaled(self, mantissas: np.ndarray, exponents: np.ndarray) -> np.ndarray:
        signs = self.random.choice([-1, 1], BATCH)
        with np.errstate(all="ignore"):
            return np.ldexp((signs * mantissas).astype(self.float), exponents.astype(np.int32))

    def specials(self) -> Iterator[Triple]:
        info = np.finfo(self.float)
        some = [0, 1, 1.5, 3, 2.0**-self.digits, info.tiny, info.smallest_subnormal, info.max, np.inf, np.nan]
        exponents = np.array([self.highest // 2, self.lowest // 2, self.lowest - 1, self.highest - 24])
        x = np.concatenate([np.array(some), np.ldexp(1.0, exponents)]).astype(self.float)
        with np.errstate(all="ignore"):
            x = np.concatenate([x, np.nextafter(x, self.float.type(2)), np.nextafter(x, self.float.type(-1))])
        a, b, c = np.meshgrid(*[np.concatenate([x, -x])] * 3)
        yield a.ravel(), b.ravel(), c.ravel()


def rounded_well_twice(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Iterator[Triple]:
    """Yield operands of the kinds that `innocuous` names, made of any."""
    a, b, c = np.broadcast_arrays(a, b, c)
    power = (a.view(np.uint32) & np.uint32(0xFF800000)).view(np.float32)
    with np.errstate(all="ignore"):
        yield power, b, c
        yield a, b, -(a * b)
        yield -(c / b), b, c
        yield -(1 / b), b, np.ones_like(b)


needs_the_instruction = pytest.mark.skipif(
    binding.get_host_cpu_features().get("fma") is False, reason="the CPU has no instruction to compare with"
)


@needs_the_instruction
@pytest.mark.parametrize("dtype", WAYS)
def test_a_fused_multiply_add_without_the_instruction(dtype: str) -> None:
    hard = Hard(dtype)
    ways = {name: ufunc(emit, name, dtype) for name, emit in WAYS[dtype].items()}
    compare(hard, ways, hard.batches())


@needs_the_instruction
def test_where_the_sum_may_be_rounded_twice() -> None:
    hard = Hard("float32")
    triples = (triple for operands in hard.batches() for triple in rounded_well_twice(*operands))
    compare(hard, {"twice": ufunc(lambda *given: rounded_twice(*given)[1], "twice", "float32")}, triples)


EXPONENT = Constant(float32=0xFF800000, float64=0)
SHIFT = Constant(float32=23, float64=0)

INNOCUOUS = {
    "by a power of two": lambda x, y: fma(x, 0.25, y),
    "by one of two": lambda x, y: fma(where(x < y, -2.0, 0.5), x, y),
    "by an exponent": lambda x, y: fma(from_bits(bits(x) & EXPONENT), y, x),
    "by a shifted integer": lambda x, y: fma(abs(from_bits((bits(x) + bits(y)) << SHIFT)), y, x),
    "by a power's exponent": lambda x, y: fma(x, from_bits(bits(from_bits(bits(y) << SHIFT)) & EXPONENT), y),
    "error of a product": lambda x, y: fma(x, y, -(x * y)),
    "error, negated": lambda x, y: fma(-y, x, x * y),
    "error of a negated product": lambda x, y: fma(-x, y, -(-x * y)),
    "remainder": lambda x, y: fma(-(x / y), y, x),
    "remainder, the other way round": lambda x, y: fma(y, -(x / y), x),
    "remainder of a reciprocal": lambda x, y: fma(-(1.0 / y), y, 1.0),
}

OTHERS = {
    "any product": lambda x, y: fma(x, y, 1.0),
    "by a number": lambda x, y: fma(x, 0.75, y),
    "by one of two, one no power": lambda x, y: fma(where(x < y, 2.0, 3.0), x, y),
    "by other bits": lambda x, y: fma(from_bits(bits(x) & 0x00FFFFFF), y, x),
    "by a product's bits": lambda x, y: fma(from_bits(bits(from_bits(bits(y) << SHIFT) * 4.0)), x, y),
    "by a sum of powers": lambda x, y: fma(x, from_bits(bits(y) << SHIFT) + 4.0, y),
    "twice a product": lambda x, y: fma(x, y, x * y),
    "twice a negated product": lambda x, y: fma(-x, y, -(x * y)),
    "another product": lambda x, y: fma(x, y, -(x * x)),
    "twice the dividend": lambda x, y: fma(x / y, y, x),
    "another dividend": lambda x, y: fma(-(x / y), y, y),
    "another divisor": lambda x, y: fma(-(x / y), x, x),
    "a reciprocal less than two": lambda x, y: fma(-(1.0 / y), y, 2.0),
}


@pytest.mark.parametrize("name", [*INNOCUOUS, *OTHERS])
def test_it_is_known_where_the_sum_may_be_rounded_twice(name: str) -> None:
    formula = INNOCUOUS.get(name) or OTHERS[name]
    graph = Graph(FLOAT32)
    _, (result,) = trace(formula, graph)
    assert may_be_rounded_twice(result) == (name in INNOCUOUS)


def test_float64_has_no_wider_format() -> None:
    _, (result,) = trace(INNOCUOUS["by a power of two"], Graph(FLOAT64))
    assert not may_be_rounded_twice(result)


def compare(hard: Hard, ways: dict[str, np.ufunc], batches: Iterator[Triple]) -> None:
    """Compare ways with the instruction, on as many operands as are wanted."""
    right = ufunc(by_instruction, "by_instruction", hard.float.name)
    tried = 0
    for operands in batches:
        want = right(*operands)
        for name, way in ways.items():
            got = way(*operands)
            wrong = (got.view(hard.bits) != want.view(hard.bits)) & ~(np.isnan(got) & np.isnan(want))
            if wrong.any():
                first = np.flatnonzero(wrong)[0]
                pytest.fail(f"{name}: {[float(o[first]).hex() for o in (*operands, got, want)]}")
        tried += want.size
        if tried >= OPERANDS:
            break
