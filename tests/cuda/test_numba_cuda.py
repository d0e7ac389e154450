"""The kernels for Numba device arrays: their PTX, how often they are compiled, the loops around them."""

import re
from typing import Any

import numpy as np
import pytest
from helpers import ptx
from helpers.backends import need
from helpers.methods import operands
from helpers.processes import printed
from hypothesis import given
from hypothesis import strategies as st
from numba import types

import gpu_sigmoid as gs
from gpu_sigmoid.backends.layout import layout_of
from gpu_sigmoid.backends.numba_cuda import kernels, memory
from gpu_sigmoid.backends.placed import Placed, apart, ordered_strides


@pytest.fixture
def numba_gpu() -> Any:
    """numba.cuda, where there is a GPU or an emulated one."""
    need("numba_cuda")
    return kernels.numba_cuda()


DTYPES = ("float16", "bfloat16", "float32", "float64")


def compiled(function: Any, name: str, dtype: str, kinds: tuple[str, ...], dimensions: int) -> tuple:
    """Return a kernel's PTX and the program it is to be."""
    ptx.numba_cuda()
    program = kernels.program(function.formula, function.methods[name].mode, dtype)
    number = types.float64 if dtype == "float64" else types.float32
    arrays = sum(kind != "number" for kind in kinds) + len(program.outputs)
    arguments = [types.int64] * (1 + dimensions)
    arguments += [number if kind == "number" else types.int64 for kind in kinds]
    arguments += [types.int64] * (len(program.outputs) + arrays * dimensions)
    kernel = kernels.python_kernel(program, dtype, kinds, dimensions)
    return ptx.compiled(kernel, *arguments), program


@pytest.mark.parametrize("dimensions", [0, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_compute_what_stands_written(function: Any, dtype: str, dimensions: int) -> None:
    """Nothing contracted, flushed or widened, on values that pass through global memory."""
    for name in ("value_and_grad", "vjp"):
        kinds = (dtype,) * len(operands(function, name, np.ones(1)))
        text, program = compiled(function, name, dtype, kinds, dimensions)
        # rounding to bfloat16 is made of integers, but for the question if it is a nan
        assert ptx.holds_only(re.sub(r"setp\.nan\S*", "", text), program)
        assert not ptx.flushes(text)
        assert not re.search(r"\b(?:ld|st)\.(?:f|u|b|s)", text), "not known to be global memory"
        assert ".local" not in text
        if dtype != "float64":
            assert ".f64" not in text
        ptx.assemble(text)


@pytest.mark.parametrize("kind", ["bool", "int8", "int64", "uint64", "float16", "bfloat16", "float32"])
def test_other_dtypes_are_converted_exactly(kind: str) -> None:
    text, program = compiled(gs.sigmoid, "value", "float64", (kind,), 0)
    assert ptx.holds_only(text, program)
    wanted = {"int64": r"cvt\.rn\.f64\.s64", "uint64": r"cvt\.rn\.f64\.u64", "float32": r"cvt\.f64\.f32"}
    assert re.search(wanted.get(kind, r"cvt\.\S*f64"), text)
    ptx.assemble(text)


def test_numbers_are_arguments() -> None:
    text, program = compiled(gs.bce_with_logits, "value", "float32", ("float32", "number"), 0)
    assert ptx.holds_only(text, program)
    assert ".param .f32" in text


def test_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['numba.cuda'] = None\n"
        "from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda\n"
        "try: numba_cuda()\n"
        "except ImportError as error: print(error)"
    )
    assert 'pip install "gpu-sigmoid[numba-cuda]"' in printed("-c", code)


def test_one_compilation_serves_all_shapes_of_a_layout(numba_gpu: Any) -> None:
    def calls(count: int) -> None:
        x = numba_gpu.to_device(np.linspace(-5, 5, count))
        gs.sigmoid(x)
        gs.sigmoid(x[::2])
        gs.sigmoid(x[: count // 3 * 3].reshape(3, -1)[:, 1:])

    calls(60)
    before = kernels.compiled.cache_info().misses
    for count in (31, 301, 1200):
        calls(count)
    assert kernels.compiled.cache_info().misses == before


def test_nothing_is_allocated_where_a_result_takes_the_operands_place(
    numba_gpu: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = numba_gpu.to_device(np.linspace(-5, 5, 100))
    asked: list[tuple] = []
    empty = memory.empty

    def recorded(*arguments: Any) -> Any:
        asked.append(arguments)
        return empty(*arguments)

    monkeypatch.setattr(memory, "empty", recorded)
    for array in (x, x[::2], x[:90].reshape(9, 10)):
        assert gs.sigmoid(array, out=array) is array
    assert not asked
    # an operand that partly overlaps out has to be copied
    gs.sigmoid(x[1:], out=x[:-1])
    assert len(asked) == 1


def place(array: np.ndarray) -> Placed:
    return Placed(array.ctypes.data, array.shape, array.strides, array.dtype)


@st.composite
def views(draw: st.DrawFn, buffer: np.ndarray) -> np.ndarray:
    """Draw a view of a three-dimensional buffer: any steps, any order of axes."""
    step = st.sampled_from([None, 1, 2, 3, -1, -2])
    end = st.one_of(st.none(), st.integers(0, 6))
    parts = tuple(slice(draw(end), draw(end), draw(step)) for _ in buffer.shape)
    return buffer[parts].transpose(draw(st.permutations(range(3))))


BUFFER = np.arange(6 * 6 * 6, dtype=np.float32).reshape(6, 6, 6)


def walk(extents: tuple[int, ...], *strides: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the offsets of operands that nested loops visit together, in one order."""
    return sorted(
        tuple(sum(i * s for i, s in zip(at, steps, strict=True)) for steps in strides)
        for at in np.ndindex(extents)
    )


@given(views(BUFFER), st.booleans())
def test_loops_pair_the_elements_that_belong_together(view: np.ndarray, repeated: bool) -> None:
    if view.size == 0:
        return
    source = np.broadcast_to(view[:1, :1], view.shape) if repeated else view
    new = np.ndarray(view.shape, view.dtype, strides=ordered_strides(view.shape, 4, view.strides))
    layout = layout_of(view.shape, [place(view[:1, :1] if repeated else view), place(new)])
    count = len(layout.extents)
    walked = walk(layout.extents, layout.steps[:count], layout.steps[count:])
    # a dimension of one element has no step
    assert walked == walk(view.shape, source.strides, new.strides)


@given(views(BUFFER), views(BUFFER))
def test_arrays_said_to_be_apart_are(a: np.ndarray, b: np.ndarray) -> None:
    if apart(place(a), place(b)):
        assert not np.shares_memory(a, b)
    low, high = place(a).span
    if a.size:
        assert (low, high) == np.lib.array_utils.byte_bounds(a)
