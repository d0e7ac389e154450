"""Short calls over several threads: contiguous arrays go the quick way of `on_contiguous`, no others may."""

from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import prepared

pytestmark = pytest.mark.usefixtures("two_threads")

VIEWS = {
    "every other": lambda a: a[::2],
    "reversed": lambda a: a[1::2][::-1],
    "a column": lambda a: a.reshape(-1, 2)[:, 1],
    "one element repeated": lambda a: np.broadcast_to(a[7], len(a) // 2),
    "contiguous": lambda a: a[: len(a) // 2],
}


@pytest.mark.parametrize("name", ["sigmoid", "sigmoid.vjp", "swiglu", "swiglu.vjp"])
@pytest.mark.parametrize("view", VIEWS)
def test_short_calls_on_any_layout(view: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if only the last operand is not contiguous, and if only a result is not."""
    monkeypatch.setattr(prepared, "threads_for", lambda ufunc, size: 2)
    function, _, mode = name.partition(".")
    method = getattr(gs, function) if not mode else getattr(getattr(gs, function), mode)
    memory = np.random.default_rng(3).normal(size=(len(method.operands), 200_000)).astype(np.float32)
    views = [VIEWS[view](row) for row in memory]
    copies = [np.ascontiguousarray(v) for v in views]
    want = stacked(method(*copies))
    assert stacked(method(*views)).tobytes() == want.tobytes()
    assert stacked(method(*copies[:-1], views[-1])).tobytes() == want.tobytes()
    if view != "one element repeated":
        outs = [VIEWS[view](np.zeros(200_000, np.float32)) for _ in range(len(method.mode.partials))]
        method(*views, out=tuple(outs))
        assert np.stack(outs).tobytes() == want.tobytes()


def stacked(results: Any) -> np.ndarray:
    return np.stack(results if isinstance(results, tuple) else [results])
