"""Calls on Numba device arrays: what is prepared, refused and said."""

import os
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from helpers.backends import need

import gpu_sigmoid as gs

need("numba_cuda")

from numba import cuda

from gpu_sigmoid.backends import numba_cuda, prepared
from gpu_sigmoid.backends.placed import ordered_strides

HOST = np.linspace(-5, 5, 1000, dtype=np.float32)


def at(memory: Any, offset: int, shape: tuple, strides: tuple, dtype: Any) -> Any:
    """Return an array of a part of a device array's memory."""
    part = memory.gpu_data.view(offset)
    return type(memory)(shape, strides, dtype, gpu_data=part)


def test_small_arrays_are_no_cause_for_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = cuda.to_device(HOST)
        assert gs.sigmoid(x).copy_to_host().tobytes() == gs.sigmoid(HOST).tobytes()
        assert gs.sigmoid(x, out=x) is x
        y, slope = gs.silu.value_and_grad(x)
        assert y.shape == slope.shape == (1000,)


def test_a_call_is_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def calls() -> list[Any]:
        x, t, out = (cuda.to_device(a) for a in (HOST, HOST * HOST, np.zeros_like(HOST)))
        return [
            gs.bce_with_logits(x, t),
            gs.bce_with_logits(x, t, out=out),
            gs.bce_with_logits(x, 0.25),
            gs.bce_with_logits(0.25, t),
            gs.bce_with_logits(x[::2], t[::2]),
            *gs.bce_with_logits.value_and_grad(x, t, out=(out, None)),
        ]

    first = [np.copy(r.copy_to_host()) for r in calls()]

    def refuse(*_: Any) -> None:
        raise AssertionError("prepared again")

    monkeypatch.setattr(numba_cuda, "Call", refuse)
    for before, now in zip(first, calls(), strict=True):
        assert before.tobytes() == now.copy_to_host().tobytes()
    with pytest.raises(AssertionError, match="prepared again"):
        gs.bce_with_logits(cuda.to_device(HOST[:7]), 0.25)


@pytest.mark.parametrize(("number", "slope"), [(1e-30, 0.0), (1e30, np.inf)])
def test_numbers_out_of_range_are_no_cause_for_a_warning(number: float, slope: float) -> None:
    x = cuda.to_device(np.zeros(3, np.float16))
    with np.errstate(all="raise"):
        got = gs.sigmoid.vjp(x, number)
    assert (got.copy_to_host() == np.float16(slope)).all()


def test_prepared_calls_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "MOST_KEPT", 5)
    calls = numba_cuda.calls_of(gs.sigmoid)
    calls.prepared.clear()
    for count in range(1, 20):
        host = HOST[:count]
        assert gs.sigmoid(cuda.to_device(host)).copy_to_host().tobytes() == gs.sigmoid(host).tobytes()
        assert len(calls.prepared) <= 5


def test_what_was_prepared_is_for_no_other_types() -> None:
    """Wrong arrays of the shape and dtype of right ones are refused as they are at first."""
    x, out = cuda.to_device(HOST), cuda.device_array(1000, np.float32)
    gs.bce_with_logits(x, x, out=out)
    with pytest.raises(TypeError, match="cannot be mixed"):
        gs.bce_with_logits(x, HOST, out=out)
    with pytest.raises(TypeError, match="cannot be mixed"):
        gs.bce_with_logits(x, x, out=HOST)
    with pytest.raises(TypeError, match="out has dtype float64"):
        gs.bce_with_logits(x, x, out=cuda.device_array(1000, np.float64))
    assert gs.bce_with_logits(x, np.float32(0.5)).dtype == np.float32
    assert gs.bce_with_logits(x, np.float64(0.5)).dtype == np.float64
    assert gs.bce_with_logits(x, 0.5).dtype == np.float32


def test_overlap_is_found_wherever_arrays_lie() -> None:
    """Calls of equal shapes and strides: apart, the same, in part; and again."""
    for offset in (1000, 0, 1, -1, 999, -1000, 1):
        host = np.concatenate([HOST, HOST + 1, HOST + 2])
        memory = cuda.to_device(host)
        x, out = memory[1000:2000], memory[1000 + offset : 2000 + offset]
        gs.sigmoid(x, out=out)
        assert out.copy_to_host().tobytes() == gs.sigmoid(host[1000:2000]).tobytes(), offset
        before, after = memory[: 1000 + offset], memory[2000 + offset :]
        assert before.copy_to_host().tobytes() == host[: 1000 + offset].tobytes()
        assert after.copy_to_host().tobytes() == host[2000 + offset :].tobytes()


def test_overlap_of_other_layouts() -> None:
    for read, written in (
        (slice(0, 500), slice(0, 1000, 2)),
        (slice(0, 1000, 2), slice(500, 1000)),
        (slice(None, None, -1), slice(None)),
        (slice(100, 700, 3), slice(900, 300, -3)),
    ):
        host, memory = HOST.copy(), cuda.to_device(HOST)
        host[written] = gs.sigmoid(HOST[read])
        gs.sigmoid(memory[read], out=memory[written])
        assert memory.copy_to_host().tobytes() == host.tobytes()


def test_results_that_share_memory_are_refused_though_others_of_the_kind_were_not() -> None:
    x, memory = cuda.to_device(HOST), cuda.device_array(3000, np.float32)
    first = memory[:1000]
    gs.sigmoid.value_and_grad(x, out=(first, memory[1000:2000]))
    for second in (first, memory[999:1999]):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            gs.sigmoid.value_and_grad(x, out=(first, second))


def test_memory_out_of_line_is_refused() -> None:
    memory = cuda.to_device(np.zeros(64, np.uint8))
    fine = at(memory, 4, (4,), (4,), np.float32)
    assert gs.sigmoid(fine).copy_to_host()[0] == 0.5
    for array in (at(memory, 2, (4,), (4,), np.float32), at(memory, 0, (4,), (6,), np.float32)):
        for call in (lambda a=array: gs.sigmoid(a), lambda a=array: gs.sigmoid(fine, out=a)):
            with pytest.raises(
                ValueError,
                match=r"^sigmoid: an array's address and strides must be multiples of the 4 bytes",
            ):
                call()
    # no step is made from one element
    assert gs.sigmoid(at(memory, 0, (1,), (6,), np.float32)).copy_to_host()[0] == 0.5


def test_the_other_byte_order_is_refused() -> None:
    x = cuda.to_device(HOST.astype(">f4"))
    for call in (lambda: gs.sigmoid(x), lambda: gs.sigmoid(cuda.to_device(HOST), out=x)):
        with pytest.raises(
            TypeError, match=r"^sigmoid: float32 in the other byte order \(>f4\).* convert it to <f4"
        ):
            call()


def run(code: str, **environment: str) -> str:
    """Return what a process of its own prints."""
    environment = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    return done.stdout or done.stderr


def test_versions_that_do_not_go_together_are_named() -> None:
    """NumPy 2.5 has no row_stack, which numba-cuda 0.30.4 asks for when it first compiles."""
    said = run(
        "import numpy as np, gpu_sigmoid as gs\n"
        "from numba import cuda\n"
        "x = cuda.to_device(np.ones(3))\n"
        "del np.row_stack\n"
        "try: gs.sigmoid(x)\n"
        "except ImportError as error: print(error)\n"
    )
    assert f"does not work with NumPy {np.__version__}" in said
    assert 'pip install "gpu-sigmoid[numba-cuda]"' in said


TWO_DEVICES = """
import numpy as np, gpu_sigmoid as gs
from numba import cuda
if len(cuda.gpus) < 2:
    print("one device")
    raise SystemExit
host = np.linspace(-5, 5, 1000, dtype=np.float32)
x = cuda.to_device(host)
with cuda.gpus[1]:
    y = cuda.to_device(host)
for _ in range(2):
    got = gs.sigmoid(y)
    assert got.gpu_data.context.device.id == 1 and cuda.get_current_device().id == 0
    with cuda.gpus[1]:
        assert got.copy_to_host().tobytes() == gs.sigmoid(host).tobytes()
    try:
        gs.bce_with_logits(x, y)
    except TypeError as error:
        print(error)
"""


def test_two_devices() -> None:
    said = run(TWO_DEVICES, EMULATED_GPU_DEVICES="2")
    if said == "one device\n":
        pytest.skip("one device")
    assert said == "bce_with_logits: arrays on GPU 0 and GPU 1: move them to one first\n" * 2


def test_results_are_in_numpys_order_of_memory() -> None:
    """Axes that tell nothing of it, of one element or repeated, are where NumPy puts them."""
    rng = np.random.default_rng(0)
    for _ in range(2000):
        count = rng.integers(6)
        order, shape = rng.permutation(count), rng.integers(1, 4, count)
        x = np.zeros(np.where(rng.random(count) < 0.3, 1, shape)).transpose(order)
        x = np.broadcast_to(x, np.where(np.array(x.shape) == 1, rng.integers(1, 4, count), x.shape))
        wanted, found = np.positive(x, out=...).strides, ordered_strides(x.shape, 8, x.strides)
        steps = [(w, f) for w, f, n in zip(wanted, found, x.shape, strict=True) if n > 1]
        assert all(w == f for w, f in steps), (x.shape, x.strides, wanted, found)
