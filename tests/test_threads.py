"""Large arrays over several threads: the bits of one, whoever else is calling."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from components import COMPONENTS, as_tuple, component, operands
from floats import DTYPES

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import placement, threads, workers

# of whatever dtype
LARGE = threads.SPLIT_FROM // 2 + 12_365
X = np.linspace(0.01, 0.99, LARGE, dtype=np.float32)


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = gs.get_num_threads()
    gs.set_num_threads(2)
    yield
    gs.set_num_threads(before)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many helpers each call that was split asked for."""
    asked: list[int] = []

    def share(work: Any, stop: Any, helpers: int) -> None:
        asked.append(helpers)
        workers.share(work, stop, helpers)

    monkeypatch.setattr(threads, "share", share)
    return asked


def by_one_thread(call: Any) -> Any:
    gs.set_num_threads(1)
    try:
        return call()
    finally:
        gs.set_num_threads(2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", COMPONENTS)
def test_blocks_give_the_bits_of_one_thread(name: str, dtype: str, drawn: list[int]) -> None:
    for function in (gs.softplus, gs.bce_with_logits):
        arguments = operands(function, name, X.astype(DTYPES[dtype]))
        got = component(function, name)(*arguments)
        want = by_one_thread(lambda f=function, a=arguments: component(f, name)(*a))
        for y, w in zip(*(as_tuple(r) for r in (got, want)), strict=True):
            assert y.tobytes() == w.tobytes()
    assert drawn == [1, 1]


LAYOUTS = {
    "C": lambda: X.reshape(3, -1),
    "F": lambda: np.asfortranarray(X.reshape(3, -1)),
    "transposed slice": lambda: np.ascontiguousarray(X.reshape(3, 5, -1).T)[::-1],
    "strided": lambda: np.repeat(X, 2)[::2],
    "reversed": lambda: X[::-1],
    "swapped": lambda: X.astype(">f4"),
    "broadcast": lambda: np.broadcast_to(X[:1000], (LARGE // 1000, 1000)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, drawn: list[int]) -> None:
    x = LAYOUTS[layout]()
    got = gs.sigmoid(x)
    assert drawn == [1]
    want = by_one_thread(lambda: gs.sigmoid(x))
    assert got.strides == want.strides
    assert got.tobytes() == want.tobytes()


def test_a_target_is_broadcast(drawn: list[int]) -> None:
    x, target = X.reshape(3, -1), np.float32([[0.0], [1.0], [0.25]])
    want = by_one_thread(lambda: gs.bce_with_logits(x, target))
    np.testing.assert_array_equal(gs.bce_with_logits(x, target), want)
    np.testing.assert_array_equal(
        gs.bce_with_logits(x, 0.25), by_one_thread(lambda: gs.bce_with_logits(x, 0.25))
    )
    assert drawn == [1, 1]


def test_in_place_is_split_and_partial_overlap_is_not(drawn: list[int]) -> None:
    want = gs.sigmoid(X)
    same = X.copy()
    gs.sigmoid(same, out=same)
    assert same.tobytes() == want.tobytes()
    assert drawn == [1, 1]
    shifted = np.concatenate([X, X[:1]])
    gs.sigmoid(shifted[:-1], out=shifted[1:])
    assert shifted[1:].tobytes() == want.tobytes()
    value, grad = np.empty_like(X), np.empty_like(X)
    gs.sigmoid.value_and_grad(X, out=(value, grad))
    assert value.tobytes() == want.tobytes()
    assert drawn == [1, 1, 1]


def test_small_arrays_and_one_thread_are_not_split(drawn: list[int]) -> None:
    gs.sigmoid(X[:1000])
    by_one_thread(lambda: gs.sigmoid(X))
    assert drawn == []


def test_many_callers_while_the_number_of_threads_changes() -> None:
    want = gs.sigmoid(X).tobytes()
    done = threading.Event()

    def change() -> None:
        n = 0
        while not done.is_set():
            n = n % 8 + 1
            gs.set_num_threads(n)

    changer = threading.Thread(target=change)
    changer.start()
    try:
        with ThreadPoolExecutor(64) as pool:
            results = list(pool.map(lambda _: gs.sigmoid(X).tobytes() == want, range(128)))
    finally:
        done.set()
        changer.join()
    assert all(results)


def sigmoid_is_right(_: Any = None) -> bool:
    gs.set_num_threads(2)
    y = gs.sigmoid(X)
    return bool((y[[0, -1]] == gs.sigmoid(X[[0, -1]])).all() and (np.diff(y) >= 0).all())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_processes(method: str) -> None:
    # by now this process has threads, which a forked one does not inherit
    assert sigmoid_is_right()
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert all(pool.map_async(sigmoid_is_right, range(4)).get(timeout=120))
    assert sigmoid_is_right()


def test_an_interrupt_ends_the_call_and_the_next_one_is_right() -> None:
    x = np.zeros(150_000_000, np.float32)
    gs.softplus(x[:1])  # compiled now: an import that is interrupted stays broken
    # started in the background, a process ignores the signal
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.02, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            while True:
                gs.softplus(x, out=x)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert threads._help.acquire(timeout=10)
    threads._help.release()
    assert sigmoid_is_right()


def test_a_failing_worker_is_heard() -> None:
    caller = threading.get_ident()
    stopped = threading.Event()

    def work() -> None:
        if threading.get_ident() != caller:
            raise ZeroDivisionError
        time.sleep(0.01)

    with pytest.raises(ZeroDivisionError):
        workers.share(work, stopped.set, 1)
    workers.share(lambda: None, stopped.set, 2)


@pytest.mark.skipif(placement.current_cpu() < 0, reason="the system does not tell a thread's CPU")
@pytest.mark.parametrize("others", [0, 1])
def test_helpers_are_kept_off_their_callers_cpu(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = sorted(os.sched_getaffinity(0))[: 1 + others]
    if len(allowed) <= others:
        pytest.skip("one CPU only")
    told: dict[int, set[int]] = {}
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: set(allowed))
    monkeypatch.setattr(os, "sched_setaffinity", told.__setitem__)
    monkeypatch.setattr(workers, "current_cpu", lambda: allowed[0])
    workers.ensure_workers(1)
    helper = workers._workers[0]
    monkeypatch.setattr(helper, "off", -1)
    gs.sigmoid(X)
    gs.sigmoid(X)
    assert told == ({helper.native_id: {allowed[1]}} if others else {})
