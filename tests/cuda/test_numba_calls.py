"""Calls on Numba device arrays: what is prepared, refused and said."""

import warnings
from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.processes import printed

import gpu_sigmoid as gs

need("numba_cuda")

from numba import cuda

from gpu_sigmoid.backends import numba_cuda, prepared
from gpu_sigmoid.backends.placed import ordered_strides

HOST = np.linspace(-5, 5, 1000, dtype=np.float32)


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


def test_results_that_share_memory_are_refused_though_others_of_the_kind_were_not() -> None:
    x, memory = cuda.to_device(HOST), cuda.device_array(3000, np.float32)
    first = memory[:1000]
    gs.sigmoid.value_and_grad(x, out=(first, memory[1000:2000]))
    for second in (first, memory[999:1999]):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            gs.sigmoid.value_and_grad(x, out=(first, second))


def test_versions_that_do_not_go_together_are_named() -> None:
    """NumPy 2.5 has no row_stack, which numba-cuda 0.30.4 asks for when it first compiles."""
    said = printed(
        "-c",
        "import numpy as np, gpu_sigmoid as gs\n"
        "from numba import cuda\n"
        "x = cuda.to_device(np.ones(3))\n"
        "del np.row_stack\n"
        "try: gs.sigmoid(x)\n"
        "except ImportError as error: print(error)\n",
    )
    assert f"does not work with NumPy {np.__version__}" in said
    assert 'pip install "gpu-sigmoid[numba-cuda]"' in said


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
