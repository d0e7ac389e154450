"""CuPy's backend with NumPy arrays standing in for CuPy's, and kernels for what is launched."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.methods import as_tuple, operands

import gpu_sigmoid as gs
from gpu_sigmoid.lowering import lower_for
from gpu_sigmoid.modes import PUBLIC

pytest.importorskip("cupy", reason="CuPy is not installed")

from helpers.cupy_stand_in import DEVICES, Array, Launches, on_gpu

from gpu_sigmoid.backends.cupy import foreign, packed


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_contiguous_arrays_are_packed(function: Any, name: str, dtype: str, launches: Launches) -> None:
    arrays = operands(function, name, np.linspace(0.1, 0.9, 64).astype(DTYPES[dtype]).reshape(8, 8))
    want = function.methods[name](*arrays)
    got = function.methods[name](*map(on_gpu, arrays))
    for y, w in zip(as_tuple(got), as_tuple(want), strict=True):
        assert type(y) is Array
        assert y.dtype == DTYPES[dtype]
        np.testing.assert_array_equal(y, w)
    aligned = len({a.ctypes.data % 16 for a in arrays}) == 1
    assert launches == [("packed", function.__name__, name, dtype)] or not aligned


@pytest.mark.parametrize(
    "view",
    [lambda x: x[::2], lambda x: x[::-1], lambda x: x.reshape(8, 8)[:, 1:], lambda x: x[1:].reshape(-1, 1)],
)
def test_other_layouts_are_not(view: Any, launches: Launches) -> None:
    x = view(on_gpu(np.linspace(-3, 3, 64)))
    out = on_gpu(np.zeros(x.shape))
    # of one element an axis, any step is contiguous: what differs then is the alignment
    assert gs.sigmoid(x, out=out) is out
    assert launches[0][0] == ("packed" if packed.serves((x,), (out,)) else "elementwise")
    np.testing.assert_array_equal(out, gs.sigmoid(np.asarray(x)))


def test_broadcast_numbers_and_none(launches: Launches) -> None:
    x = on_gpu(np.ones((3, 1), np.float32))
    assert gs.bce_with_logits(x, on_gpu(np.zeros(4, np.float32))).shape == (3, 4)
    assert gs.bce_with_logits(x, 1).dtype == np.float32
    assert gs.bce_with_logits(x, np.float32(0.5)).dtype == np.float32
    assert [launch[0] for launch in launches] == ["elementwise"] * 3
    launches.clear()
    assert gs.sigmoid(on_gpu(np.zeros((0, 3)))).shape == (0, 3)
    assert not launches
    assert gs.sigmoid(on_gpu(np.array([1, 2]))).dtype == np.float64


def test_fortran_order_is_kept_and_packed(launches: Launches) -> None:
    x = on_gpu(np.ones((4, 6))).T
    x.device = DEVICES[0]
    assert gs.sigmoid(x).flags.f_contiguous
    assert launches[0][0] == "packed"


def test_in_place_and_overlap(launches: Launches) -> None:
    data = np.linspace(-3, 3, 100)
    x = on_gpu(data)
    gs.sigmoid(x, out=x)
    np.testing.assert_array_equal(x, gs.sigmoid(data))
    x = on_gpu(data)
    gs.sigmoid(x[:-1], out=x[1:])
    np.testing.assert_array_equal(x[1:], gs.sigmoid(data[:-1]))
    x = on_gpu(data)
    first, second = gs.sigmoid.value_and_grad(x, out=(x, None))
    assert first is x
    np.testing.assert_array_equal(first, gs.sigmoid(data))
    np.testing.assert_array_equal(second, gs.sigmoid.grad(data))


def test_the_arrays_own_device_is_made_current(launches: Launches) -> None:
    before = DEVICES[1].entered
    gs.sigmoid(on_gpu([1.0], 1))
    assert DEVICES[1].entered == before + 1


def test_refusals(launches: Launches) -> None:
    x = on_gpu([1.0, 2.0])
    with pytest.raises(TypeError, match=r"Array and numpy\.ndarray cannot be mixed"):
        gs.bce_with_logits(x, np.ones(2))
    with pytest.raises(TypeError, match="arrays on GPU 0 and GPU 1: move them to one first"):
        gs.bce_with_logits(x, on_gpu([0.0, 1.0], 1))
    with pytest.raises(TypeError, match="complex128 is not accepted"):
        gs.sigmoid(on_gpu([1j]))
    with pytest.raises(ValueError, match="out has shape"):
        gs.sigmoid(x, out=on_gpu([1.0]))
    with pytest.raises(TypeError, match="out has dtype float32"):
        gs.sigmoid(x, out=on_gpu(np.ones(2, np.float32)))
    with pytest.raises(TypeError, match="a tuple of 2 arrays"):
        gs.sigmoid.value_and_grad(x, out=x)
    with pytest.raises(ValueError, match="share memory"):
        gs.sigmoid.value_and_grad(x, out=(x, x))
    assert not launches


class Exporter:
    """An object with the CUDA array interface, on a stream of its own."""

    __cuda_array_interface__ = {  # noqa: RUF012
        "shape": (2, 3),
        "typestr": "<f4",
        "data": (4096, False),
        "strides": (16, 4),
        "version": 3,
        "stream": 7,
    }


@pytest.mark.skipif(gs.gpu_available(), reason="there is a GPU")
def test_without_a_gpu_the_error_says_why() -> None:
    with pytest.raises(RuntimeError, match="lies on a GPU, and none can be used: there is no NVIDIA driver"):
        gs.sigmoid(Exporter())


def test_interface_is_taken_without_a_copy_and_ordered_by_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    stream = SimpleNamespace(wait_event=lambda event: events.append(("wait", event)))
    cuda = SimpleNamespace(
        UnownedMemory=lambda pointer, size, owner: ("memory", pointer, owner),
        MemoryPointer=lambda memory, offset: (memory, offset),
        ExternalStream=lambda number: SimpleNamespace(record=lambda: f"event of {number}"),
        get_current_stream=lambda: stream,
    )
    made: list[Any] = []
    stand_in = SimpleNamespace(
        cuda=cuda, ndarray=type("ndarray", (), {"__init__": lambda s, *a: made.append(a)})
    )
    monkeypatch.setattr(foreign, "cupy", stand_in)
    owner = Exporter()
    foreign.adopted(owner)
    assert made == [((2, 3), np.dtype("f4"), (("memory", 4096, owner), 0), (16, 4))]
    assert events == [("wait", "event of 7")]


def test_every_component_has_a_kernel_text() -> None:
    for function in gs.FUNCTIONS.values():
        for method in function.methods.values():
            for dtype in DTYPES:
                program = lower_for(method.formula, method.mode, dtype)
                assert 'extern "C"' in packed.source(program, dtype, 1)
