"""The library on a GPU: what the suite that all backends share cannot ask for."""

from typing import Any

import numpy as np

import gpu_sigmoid as gs

X = np.resize(np.linspace(-9, 9, 1 << 12), 1 << 21)


def same(got: np.ndarray, want: np.ndarray) -> bool:
    """Compare bits; of so many, pytest takes minutes to show how bytes differ."""
    return got.tobytes() == want.tobytes()


def test_a_table_is_made_on_one_stream_and_used_on_another(gpu: Any) -> None:
    host = X.astype(np.float16)
    x = gpu.asarray(host)
    gpu.cuda.Device().synchronize()
    first, second = (gpu.cuda.Stream(non_blocking=True) for _ in range(2))
    with first:
        gs.sigmoid(x)
    with second:
        got = gs.sigmoid(x).get(stream=second)
    assert same(got, gs.sigmoid(host))


def test_two_results_are_looked_up_side_by_side(gpu: Any) -> None:
    host = X.astype(np.float16)
    got = gs.softplus.value_and_grad(gpu.asarray(host))
    for y, want in zip(got, gs.softplus.value_and_grad(host), strict=True):
        assert same(gpu.asnumpy(y), want)


def test_a_call_is_in_the_order_of_the_current_stream(gpu: Any) -> None:
    host = X.astype(np.float32)
    source, x = gpu.asarray(host), gpu.zeros(X.size, "f4")
    gs.silu(x)
    gpu.cuda.Device().synchronize()
    stream = gpu.cuda.Stream(non_blocking=True)
    with stream:
        for _ in range(20):
            gpu.copyto(x, source)
        got = gs.silu(x).get(stream=stream)
    assert same(got, gs.silu(host))
