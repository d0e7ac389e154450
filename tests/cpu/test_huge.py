"""Arrays of more than 2^31 elements. They take 8 GiB: set GPU_SIGMOID_HUGE to have them tested."""

import os

import numpy as np
import pytest

import gpu_sigmoid as gs

pytestmark = pytest.mark.skipif(
    not os.environ.get("GPU_SIGMOID_HUGE"), reason="takes 8 GiB of memory: set GPU_SIGMOID_HUGE=1"
)

PERIOD = np.linspace(-20, 20, 4099)


@pytest.mark.parametrize(("dtype", "count"), [("float32", 1 << 31), ("float16", (1 << 32) - 5)])
@pytest.mark.parametrize("threads", [1, 2])
def test_eight_gibibytes_in_place(
    dtype: str, count: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPU_SIGMOID_NUM_THREADS", str(threads))
    period = PERIOD.astype(dtype)
    whole, rest = divmod(count, period.size)
    x = np.empty(count, dtype)
    x[: whole * period.size].reshape(whole, period.size)[...] = period
    x[whole * period.size :] = period[:rest]
    assert gs.sigmoid(x, out=x) is x
    want = gs.sigmoid(period)
    assert (x[: whole * period.size].reshape(whole, period.size) == want).all()
    assert (x[whole * period.size :] == want[:rest]).all()
