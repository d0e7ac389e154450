"""Calls on CuPy arrays in a graph capture: what a replay would not find is refused, new results are not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.backends import need

import gpu_sigmoid as gs

need("cupy")

import cupy

HOST = np.linspace(-5, 5, 1001, dtype=np.float32)


def captured(call: Callable[[], Any]) -> tuple[Any, Any, Any]:
    """Return a new stream, the graph of a call that was made once before, and what it returned."""
    call()
    cupy.cuda.Device().synchronize()
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        try:
            result = call()
        finally:
            graph = stream.end_capture()
    return stream, graph, result


X, HALF, DOUBLE = (cupy.asarray(HOST.astype(dtype)) for dtype in ("f4", "f2", "f8"))
INTEGERS = cupy.arange(1001)
TEMPORARIES: dict[str, tuple[str, str, Callable[[Any], Any]]] = {
    "two dtypes": ("converted to float32", "convert", lambda out: gs.bce_with_logits(X, HALF, out=out)),
    "integers": ("converted to float64", "convert", lambda out: gs.sigmoid(INTEGERS)),
    "overlap": (
        "partly overlaps out has to be copied",
        "copy",
        lambda out: gs.sigmoid(out[:-1], out=out[1:]),
    ),
    "two results": (
        "partly overlaps out has to be copied",
        "copy",
        lambda out: gs.sigmoid.value_and_grad(out[1:], out=(out[:-1], cupy.empty(1000, np.float32))),
    ),
}


@pytest.mark.parametrize("case", TEMPORARIES)
def test_temporaries_are_refused(case: str) -> None:
    why, remedy, call = TEMPORARIES[case]
    out = X.copy()
    with pytest.raises(
        RuntimeError, match=rf"^(sigmoid|bce_with_logits)\S*: .*{why}.*{remedy} it before the capture$"
    ):
        captured(lambda: call(out))
    # the capture ended as if the call had not been made
    assert gs.sigmoid(X).get().tobytes() == gs.sigmoid(HOST).tobytes()


def test_an_error_leaves_the_capture_as_it_is() -> None:
    out = cupy.zeros_like(X)

    def call() -> None:
        gs.sigmoid(X, out=out)
        if cupy.cuda.get_current_stream().is_capturing():
            with pytest.raises(RuntimeError, match="before the capture"):
                gs.bce_with_logits(X, HALF)

    stream, graph, _ = captured(call)
    out[...] = 0
    cupy.cuda.Device().synchronize()
    graph.launch(stream)
    stream.synchronize()
    assert out.get().tobytes() == gs.sigmoid(HOST).tobytes()


@pytest.mark.parametrize("x", [X, HALF, DOUBLE, X[::2]], ids=["float32", "float16", "float64", "strided"])
def test_replays_write_to_out_and_to_new_results(x: Any) -> None:
    """Results that a call makes are the caller's to keep, and a replay's to write to."""
    x, host = x.copy() if x.flags.c_contiguous else X.copy()[::2], x.get()
    out = cupy.zeros_like(x)
    gs.sigmoid(x)
    stream, graph, (new, given) = captured(lambda: (gs.sigmoid.grad(x), gs.sigmoid(x, out=out)))
    assert given is out
    x[...] = cupy.asarray(host[::-1])
    others = [cupy.full(1001, 7, np.float32) for _ in range(8)]
    cupy.cuda.Device().synchronize()
    for _ in range(2):
        graph.launch(stream)
    stream.synchronize()
    assert new.get().tobytes() == gs.sigmoid.grad(np.array(host[::-1])).tobytes()
    assert out.get().tobytes() == gs.sigmoid(np.array(host[::-1])).tobytes()
    assert all((other == 7).all() for other in others)
