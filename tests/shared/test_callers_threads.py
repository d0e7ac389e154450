"""Several threads that call at once: each gets its own results, on streams of its own where there are any."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, expected, sample
from helpers.floats import DTYPES

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

THREADS = 8


def own_stream(backend: Backend) -> tuple[AbstractContextManager, Callable[[Any], Any]]:
    """Return what makes a new stream the thread's current one, and what binds an array to it."""
    if backend.name == "cupy":
        import cupy

        return cupy.cuda.Stream(non_blocking=True), lambda array: array
    if backend.name == "numba_cuda":
        from numba import cuda

        stream = cuda.stream()
        return nullcontext(), lambda array: array.bind(stream)
    return nullcontext(), lambda array: array


def by_all(call: Callable[[int], None]) -> None:
    """Call with 0, 1, ..., each on a thread of its own, all at the same time; raise what any raises."""
    together = Barrier(THREADS)

    def start(number: int) -> None:
        together.wait()
        call(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(start, range(THREADS)))


@pytest.mark.parametrize("own", [False, True], ids=["one stream", "own streams"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_each_its_own_arrays(name: str, dtype: str, own: bool, backend: Backend) -> None:
    methods = [function.methods[name] for function in (gs.sigmoid, gs.bce_with_logits)]

    def call(number: int) -> None:
        stream, bound = own_stream(backend) if own else (nullcontext(), lambda array: array)
        method = methods[number % 2]
        with stream:
            for seed in range(3):
                hosts = sample(method, DTYPES[dtype], 500 + number, seed * THREADS + number)
                arrays = [bound(backend.lay(h)[0]) for h in hosts]
                assert_results(backend, method(*arrays), expected(method, *hosts), hosts)
                strided = [bound(backend.lay(h, h[::2])[1]) for h in hosts]
                assert_results(backend, method(*strided), expected(method, *(h[::2] for h in hosts)))

    by_all(call)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_operand_for_all(function: Any, dtype: str, backend: Backend) -> None:
    method = function.methods["value_and_grad"]
    hosts = sample(method, DTYPES[dtype], 999)
    arrays, want = [backend.lay(h)[0] for h in hosts], expected(method, *hosts)

    def call(number: int) -> None:
        for _ in range(5):
            outs = tuple(backend.to_device(np.zeros(999, DTYPES[dtype])) for _ in want)
            got = method(*arrays, out=outs)
            assert all(y is out for y, out in zip(got, outs, strict=True))
            assert_results(backend, got, want)

    by_all(call)


def test_first_calls_meet(backend: Backend) -> None:
    """Kernels that no test has called before are compiled for several threads at a time."""
    hosts = [np.linspace(0.1, 0.9, 60).astype(kind) for kind in ("float32", "int8", "uint16")]
    want = expected(gs.bce_with_logits.vjp, *hosts)

    def call(number: int) -> None:
        got = gs.bce_with_logits.vjp(*(backend.lay(h)[0] for h in hosts))
        assert_results(backend, got, want, tuple(hosts))

    by_all(call)


def test_what_one_thread_is_refused_others_do_not_see(backend: Backend) -> None:
    host = np.linspace(-3, 3, 100)
    x, short = backend.lay(host)[0], backend.lay(np.zeros(3))[0]
    want = expected(gs.sigmoid, host)

    def call(number: int) -> None:
        for _ in range(20):
            if number % 2:
                with pytest.raises(ValueError, match="out has shape"):
                    gs.sigmoid(x, out=short)
            else:
                assert_results(backend, gs.sigmoid(x), want)

    by_all(call)
