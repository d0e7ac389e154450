"""Arrays of other libraries in a GPU's memory, by `__cuda_array_interface__` and DLPack."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.exporters import Exporter, Packed, Typed
from helpers.floats import BFLOAT16

import gpu_sigmoid as gs

need("cupy")

import cupy

pytestmark = pytest.mark.usefixtures("no_warnings")

HOST = np.linspace(-5, 5, 1000, dtype=np.float32)


def test_empty_arrays_need_no_memory() -> None:
    got = gs.sigmoid(Exporter(cupy.ones((3, 1)), data=(0, False), shape=(3, 0), strides=None))
    assert (type(got), got.shape, got.dtype) == (cupy.ndarray, (3, 0), np.float64)


def test_strides() -> None:
    x = cupy.asarray(HOST)
    got = gs.sigmoid(Exporter(x[::-3]))
    assert got.get().tobytes() == gs.sigmoid(HOST[::-3]).tobytes()


def test_what_one_object_offers_others_of_its_type_may_not() -> None:
    x, array = cupy.asarray(HOST), type("Array", (), {})()
    array.__cuda_array_interface__ = Exporter(x).__cuda_array_interface__
    out = type(array)()
    out.__cuda_array_interface__ = Exporter(cupy.empty_like(x)).__cuda_array_interface__
    assert gs.sigmoid(array, out=out) is out
    for got in (cupy.asarray(out), gs.sigmoid(array)):
        assert got.get().tobytes() == gs.sigmoid(HOST).tobytes()
    with pytest.raises(TypeError, match=r"Array is not accepted; accepted are"):
        gs.sigmoid(type(array)())


def test_the_other_byte_order_is_refused() -> None:
    x = cupy.asarray(HOST)
    with pytest.raises(
        TypeError, match=r"Exporter: float32 in the other byte order \(>f4\).* convert it to <f4"
    ):
        gs.sigmoid(Exporter(x, typestr=">f4"))
    assert gs.sigmoid(Exporter(cupy.ones(3, np.uint8), typestr="|u1")).dtype == np.float64


def test_bfloat16_is_known_by_its_owner() -> None:
    host = HOST.astype(BFLOAT16)
    x = cupy.asarray(host)
    assert Typed(x).__cuda_array_interface__["typestr"] == "<V2"
    got = gs.sigmoid(Typed(x))
    assert got.dtype == BFLOAT16
    assert got.get().tobytes() == gs.sigmoid(host).tobytes()
    with pytest.raises(
        TypeError, match=r"Exporter: the elements have no type \(\|V2\): bfloat16 is accepted if"
    ):
        gs.sigmoid(Exporter(x))


def test_memory_out_of_line_is_refused() -> None:
    x = cupy.zeros(64, np.uint8)
    for changes in ({"data": (x.data.ptr + 2, False)}, {"strides": (6,)}):
        with pytest.raises(
            ValueError, match=r"^sigmoid: an array's address and strides must be multiples of the 4 "
        ):
            gs.sigmoid(Exporter(x, typestr="<f4", shape=(4,), **changes))
    assert gs.sigmoid(Exporter(x, typestr="<f4", shape=(4,), data=(x.data.ptr + 4, False))).get()[0] == 0.5


@pytest.mark.parametrize("interface", [None, {}, {"shape": 3}, {"typestr": "garbage"}])
def test_what_is_no_interface_is_refused(interface: Any) -> None:
    x = Exporter(cupy.ones(3))
    whole = x.__cuda_array_interface__
    other = type("Other", (), {"__cuda_array_interface__": interface and {**whole, **interface}})()
    with pytest.raises(TypeError, match=r"^sigmoid: Other's __cuda_array_interface__ is invalid: "):
        gs.sigmoid(other)


def test_arrays_of_no_gpu_are_refused() -> None:
    at = np.ones(3).ctypes.data
    for place in (0, at):
        with pytest.raises(ValueError, match=r"^sigmoid: Exporter: .*address"):
            gs.sigmoid(Exporter(cupy.ones(3), data=(place, False)))


def test_masks_are_refused() -> None:
    with pytest.raises(TypeError, match="Exporter: masked"):
        gs.sigmoid(Exporter(cupy.ones(3), mask=Exporter(cupy.ones(3, bool))))


@pytest.mark.parametrize("kind", [2, 13])
def test_dlpack_beside_other_arrays(kind: int) -> None:
    """13 is kDLCUDAManaged, memory of the GPU's that the host may use too."""
    x, t, out = cupy.asarray(HOST), cupy.full(1000, 0.25, np.float32), cupy.empty(1000, np.float32)
    want = gs.bce_with_logits(HOST, np.full(1000, 0.25, np.float32)).tobytes()
    for operands in ((Packed(x, kind), t), (x, Packed(t, kind)), (Exporter(x), Packed(t, kind))):
        assert gs.bce_with_logits(*operands, out=out) is out
        assert out.get().tobytes() == want
        out[...] = 0
    assert gs.sigmoid(Packed(x, kind)).get().tobytes() == gs.sigmoid(HOST).tobytes()


def test_dlpack_on_the_host_is_not_mixed() -> None:
    for array in (Exporter(cupy.ones(3)), cupy.ones(3)):
        with pytest.raises(TypeError, match=r"lies on device \(2,.*neither the host nor"):
            gs.bce_with_logits(Packed(np.ones(3), 1), array)


def test_out_of_another_library() -> None:
    """It is what is returned, and its stream waits for what is written."""
    x = cupy.asarray(np.linspace(-5, 5, 1 << 20, dtype=np.float32))
    out, second = cupy.zeros_like(x), cupy.zeros_like(x)
    stream, copy = cupy.cuda.Stream(non_blocking=True), cupy.zeros_like(x)
    target = Exporter(out, stream.ptr)
    gs.sigmoid(x)
    cupy.cuda.Device().synchronize()
    with cupy.cuda.Stream(non_blocking=True) as current:
        assert gs.sigmoid(x, out=target) is target
    with stream:
        cupy.copyto(copy, out)
    stream.synchronize()
    current.synchronize()
    assert copy.get().tobytes() == gs.sigmoid(x.get()).tobytes()
    other = Exporter(second)
    got = gs.sigmoid.value_and_grad(x, out=(other, None))
    assert got[0] is other
    assert type(got[1]) is cupy.ndarray
    assert second.get().tobytes() == copy.get().tobytes()


def test_read_only_out() -> None:
    x = cupy.ones(3)
    for call, out in (
        (gs.sigmoid, Exporter(x, read_only=True)),
        (gs.sigmoid.value_and_grad, (x, Exporter(x, read_only=True))),
    ):
        with pytest.raises(ValueError, match=rf"{call.label}: out is read-only"):
            call(cupy.ones(3), out=out)
    assert (x.get() == 1).all()
    assert gs.sigmoid(Exporter(x, read_only=True)).get()[0] == gs.sigmoid(1.0)
