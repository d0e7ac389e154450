"""Calls that are drawn: any operands, layouts and overlap, on every backend.

GPU_SIGMOID_EXAMPLES says how many of a kind.
"""

import os
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, bits, checked, common_dtype, expected, laid
from helpers.floats import DTYPES
from helpers.methods import as_tuple
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_sigmoid.modes import PUBLIC
from gpu_sigmoid.registry import FUNCTIONS

# the fixture keeps nothing from one example to the next
DRAWN = settings(
    max_examples=int(os.environ.get("GPU_SIGMOID_EXAMPLES", "200")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
SHAPES = [(), (0,), (1,), (7,), (300,), (2, 3), (3, 1, 5), (0, 4), (1, 1)]
INTEGERS = [*map(np.dtype, ("bool", "i1", "u2", "i4", "u8"))]
SWAPPED = [*map(np.dtype, (">f4", ">f8", ">i2"))]
METHODS = [f.methods[name] for f in FUNCTIONS.values() for name in PUBLIC]
NUMBERS = [0.5, -3, True, float("inf"), np.float32(0.1), np.float64(-2.5), np.int8(1)]


def patterns(shape: tuple[int, ...], dtype: np.dtype, seed: int) -> np.ndarray:
    """Return an array with random bits: nan, infinity and subnormals among them."""
    rng = np.random.default_rng(seed)
    if dtype.kind in "biu":
        return rng.integers(0, 2 if dtype.kind == "b" else 100, shape).astype(dtype)
    x = np.empty(shape, dtype)
    x.reshape(-1).view(np.uint8)[...] = rng.integers(0, 256, x.nbytes, dtype=np.uint8)
    return x


@st.composite
def arrays(draw: Any, dtypes: list, shape: tuple[int, ...]) -> np.ndarray:
    """Draw an array with any strides, order and alignment, broadcast along some axes."""
    dtype = draw(st.sampled_from(dtypes))
    repeated = [draw(st.sampled_from([False, False, True])) for _ in shape]
    held = tuple(1 if r else n for n, r in zip(shape, repeated, strict=True))
    x = patterns(tuple(2 * n + 1 for n in held), dtype, draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        x = np.copy(x, order="F")
    for axis, n in enumerate(held):
        first = draw(st.sampled_from([0, 1]))
        step = draw(st.sampled_from([1, 2, -1, -2]))
        places = range(first, first + abs(step) * (n - 1) + 1, abs(step)) if n else range(0)
        part = slice(places.start, places.stop, abs(step))
        x = x[(slice(None),) * axis + (part,)]
        x = np.flip(x, axis) if step < 0 else x
    return np.broadcast_to(x, shape)


@st.composite
def operands(draw: Any, count: int, backend: Backend) -> tuple:
    dtypes = [*DTYPES.values(), *INTEGERS, *(SWAPPED if backend.name == "cpu" else [])]
    shape = draw(st.sampled_from(SHAPES))
    # seldom of more dtypes than one, as in use
    dtypes = dtypes if draw(st.sampled_from([False, False, True])) else [draw(st.sampled_from(dtypes))]
    drawn: list[Any] = [draw(arrays(dtypes, shape))]
    for _ in range(count - 1):
        kind = draw(st.sampled_from(["alike", "alike", "number", "0-d", "inner"]))
        other = {"alike": shape, "0-d": (), "inner": shape[1:]}.get(kind)
        drawn.append(draw(st.sampled_from(NUMBERS)) if other is None else draw(arrays(dtypes, other)))
    return tuple(draw(st.permutations(drawn)))


@DRAWN
@given(data=st.data())
def test_any_operands(data: Any, backend: Backend) -> None:
    method = data.draw(st.sampled_from(METHODS))
    drawn = data.draw(operands(len(method.operands), backend))
    try:
        common_dtype(drawn)
    except TypeError:
        with pytest.raises(TypeError, match="accepted are float16"):
            method(*(laid(backend, o) for o in drawn))
        return
    checked(backend, method, *drawn)


@DRAWN
@given(data=st.data())
def test_any_overlap(data: Any, backend: Backend) -> None:
    method = data.draw(st.sampled_from(METHODS))
    dtype = data.draw(st.sampled_from(list(DTYPES.values())))
    n = data.draw(st.integers(1, 60))
    memory = patterns((8 * n,), dtype, data.draw(st.integers(0, 2**32)))

    def view() -> np.ndarray:
        step = data.draw(st.sampled_from([1, 2, -1, -2]))
        start = data.draw(st.integers(0, 8 * n - abs(step) * (n - 1) - 1))
        part = memory[start : start + abs(step) * (n - 1) + 1 : abs(step)]
        return part[::-1] if step < 0 else part

    reads, writes = [view() for _ in method.operands], [view() for _ in method.mode.partials]
    whole, *placed = backend.lay(memory, *reads, *writes)
    inputs, outs = placed[: len(reads)], placed[len(reads) :]
    if any(np.shares_memory(*pair) for pair in combinations(writes, 2)):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            method(*inputs, out=tuple(outs))
        assert backend.to_host(whole).tobytes() == memory.tobytes()
        return
    want = expected(method, *reads)
    got = method(*inputs, out=tuple(outs) if len(outs) > 1 else outs[0])
    assert all(y is out for y, out in zip(as_tuple(got), outs, strict=True))
    assert_results(backend, got, want)
    for written, w in zip(writes, want, strict=True):
        written[...] = w
    assert bits(backend.to_host(whole)) == bits(memory)
