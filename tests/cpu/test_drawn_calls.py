"""Calls that are drawn: any operands, layouts, overlap, and all that is refused."""

import os
from typing import Any

import numpy as np
import pytest
from helpers.floats import BFLOAT16, DTYPES
from helpers.methods import as_tuple
from hypothesis import given, settings
from hypothesis import strategies as st

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

SHAPES = [(), (0,), (1,), (7,), (300,), (2, 3), (3, 1, 5), (0, 4), (1, 1)]
ANY_DTYPE = [*DTYPES.values(), *map(np.dtype, ("bool", "i1", "u2", "i4", "u8", ">f4", ">f8", ">i2"))]
REFUSED = [*map(np.dtype, ("c8", "g", "O", "U2", "M8[s]", "V4"))]


def patterns(shape: tuple[int, ...], dtype: np.dtype, seed: int) -> np.ndarray:
    """Return an array with random bits: nan, infinity and subnormals among them."""
    rng = np.random.default_rng(seed)
    if dtype.kind in "biu":
        return rng.integers(0, 2 if dtype.kind == "b" else 100, shape).astype(dtype)
    count = int(np.prod(shape)) * dtype.itemsize
    return rng.integers(0, 256, count, dtype=np.uint8).view(dtype).reshape(shape)


@st.composite
def arrays(draw: Any, shapes: Any = None) -> np.ndarray:
    """Draw an array of any accepted dtype, with any strides, order and writability."""
    dtype = draw(st.sampled_from(ANY_DTYPE))
    shape = draw(st.sampled_from(SHAPES if shapes is None else shapes))
    x = patterns(tuple(2 * n for n in shape), dtype, draw(st.integers(0, 2**32)))
    for axis in range(len(shape)):
        step = draw(st.sampled_from([2, -2, 1]))
        take = slice(None, shape[axis]) if step == 1 else slice(None, None, step)
        x = x[(slice(None),) * axis + (take,)]
    if draw(st.booleans()):
        x = np.copy(x, order=draw(st.sampled_from("CFK")))
    if shapes is None and draw(st.booleans()):
        x = x.T
    if draw(st.booleans()):
        x.flags.writeable = False
    return x


def bits(x: np.ndarray) -> bytes:
    """Return the bits of x, all nans alike."""
    wide = x.astype(np.float64)
    return np.where(np.isnan(wide), np.float64(np.nan), wide).tobytes()


def common_dtype(operands: tuple) -> np.dtype:
    """Return NumPy's common dtype; bfloat16 follows float16's rule, and has none in common with it."""
    dtypes = [o.dtype for o in operands]
    if BFLOAT16 not in dtypes or np.float16 in dtypes:
        return np.result_type(*dtypes)
    common = np.result_type(*(np.float16 if d == BFLOAT16 else d for d in dtypes))
    return BFLOAT16 if common == np.float16 else common


def want(function: Any, name: str, operands: tuple) -> tuple[np.ndarray, ...]:
    """Return the result from plain contiguous copies, a call an array."""
    common = common_dtype(operands)
    common = common if common in DTYPES.values() else np.dtype("float64")
    plain = [np.array(o, dtype=common, order="C") for o in np.broadcast_arrays(*operands)]
    flat = [np.ascontiguousarray(p.reshape(-1)) for p in plain]
    result = function.methods[name](*flat)
    return tuple(r.reshape(plain[0].shape) for r in (as_tuple(result)))


@settings(max_examples=int(os.environ.get("GPU_SIGMOID_EXAMPLES", "150")), deadline=None)
@given(st.data())
def test_any_operands(data: Any) -> None:
    function = data.draw(st.sampled_from(list(gs.FUNCTIONS.values())))
    name = data.draw(st.sampled_from(PUBLIC))
    x = data.draw(arrays())
    count = ("target" in function.operands) + (name == "vjp")
    same = [x.shape, ()]
    operands = (x, *(data.draw(arrays(same)) for _ in range(count)))
    try:
        common_dtype(operands)
    except TypeError:
        with pytest.raises(TypeError, match="accepted are float16"):
            function.methods[name](*operands)
        return
    expected = want(function, name, operands)
    before = [o.tobytes() for o in operands]
    with np.errstate(all="raise"):
        got = function.methods[name](*operands)
    for y, w in zip(as_tuple(got), expected, strict=True):
        assert (y.dtype, y.shape) == (w.dtype, w.shape)
        assert bits(np.asarray(y)) == bits(w)
    assert [o.tobytes() for o in operands] == before


@settings(max_examples=int(os.environ.get("GPU_SIGMOID_EXAMPLES", "150")), deadline=None)
@given(st.data())
def test_any_overlap(data: Any) -> None:
    function = data.draw(st.sampled_from([f for f in gs.FUNCTIONS.values() if "target" not in f.operands]))
    dtype = data.draw(st.sampled_from(list(DTYPES.values())))
    n = data.draw(st.integers(1, 600))
    memory = patterns((4 * n,), dtype, data.draw(st.integers(0, 2**32)))

    def view() -> np.ndarray:
        step = data.draw(st.sampled_from([1, 2, -1, -2]))
        start = data.draw(st.integers(0, 4 * n - abs(step) * (n - 1) - 1))
        part = memory[start : start + abs(step) * (n - 1) + 1 : abs(step)]
        return part[::-1] if step < 0 else part

    x, out = view(), view()
    expected = function(x.copy())
    assert function(x, out=out) is out
    assert bits(out) == bits(expected)


@given(st.sampled_from(REFUSED), st.sampled_from(SHAPES))
def test_any_other_dtype_is_refused(dtype: np.dtype, shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="accepted are float16"):
        gs.sigmoid(np.zeros(shape, dtype))
    with pytest.raises(TypeError, match="out has dtype"):
        gs.sigmoid(np.zeros(shape), out=np.zeros(shape, dtype))


@given(
    st.one_of(st.none(), st.text(), st.binary(), st.complex_numbers(), st.dictionaries(st.text(), st.text()))
)
def test_any_other_type_is_refused(x: Any) -> None:
    with pytest.raises(TypeError):
        gs.sigmoid(x)
    with pytest.raises(TypeError):
        gs.sigmoid([x])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        gs.bce_with_logits(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        gs.sigmoid(np.zeros((2, 3)), out=np.zeros(3))
