"""Threads that draw blocks without Python: the bits of one, whoever else calls, forks or sends signals."""

import ctypes
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.processes import printed
from helpers.systems import forks, needs_fork
from helpers.threads import another_thread_computing, assert_the_bits_of_one_thread, by_one_thread

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import spinning
from gpu_sigmoid.modes import PUBLIC

pytestmark = pytest.mark.usefixtures("two_threads")

# in each dtype enough to wake threads, and too few for blocks that go through Python
X = np.linspace(0.01, 0.99, 612_365, dtype=np.float32)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of threads of the calls that were shared."""
    asked: list[int] = []

    share = spinning.share

    def counted(loops: int, job: bytes, length: int, number: int, work: int) -> None:
        asked.append(number)
        share(loops, job, length, number, work)

    monkeypatch.setattr(spinning, "share", counted)
    return asked


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_the_bits_of_one_thread(name: str, dtype: str, shared: list[int]) -> None:
    assert_the_bits_of_one_thread(name, dtype, X)
    assert shared == [2, 2]


@pytest.mark.parametrize("view", [lambda a: a[::-1], lambda a: a[::2], lambda a: a.reshape(2, -1)[:, 1:].T])
def test_layouts_and_in_place(view: Any, shared: list[int]) -> None:
    memory = np.tile(X, 2)
    x = view(memory)
    want = by_one_thread(lambda: gs.sigmoid(x))
    assert gs.sigmoid(x).tobytes() == want.tobytes()
    gs.sigmoid(x, out=x)
    assert x.tobytes() == want.tobytes()
    assert shared == [2, 2]


def test_other_threads_draw_blocks() -> None:
    """And when the call returns none is within one."""
    seen, within = set(), []

    @ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_ssize_t, ctypes.c_ssize_t)
    def block(job: bytes, start: int, stop: int) -> None:
        within.append(start)
        seen.add((threading.get_ident(), job, stop - start))
        time.sleep(0.01)
        within.remove(start)

    address = ctypes.cast(block, ctypes.c_void_p).value
    assert address
    spinning.share(address, b"job", 10, 2, spinning.WAKING_FROM)
    assert not within
    assert len({thread for thread, *_ in seen}) == 2
    assert {tuple(more) for _, *more in seen} == {(b"job", 1)}
    # asleep, they are woken
    time.sleep(20 * spinning.SECONDS)
    seen.clear()
    spinning.share(address, b"job", 10, 2, spinning.WAKING_FROM)
    assert len({thread for thread, *_ in seen}) == 2


SHORT = spinning.WAKING_FROM // 4


def test_when_short_calls_are_helped(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(spinning, "perf_counter", lambda: now)
    monkeypatch.setattr(spinning, "Times", type("Times", (), {"awake": 0.0, "soon": 0.0, "work": 0}))

    def helped_after(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return spinning.helps(SHORT)

    # nobody is woken for one, or for several far from each other
    assert not any(helped_after(2 * spinning.SECONDS) for _ in range(10))
    # but for several in quick succession
    assert [helped_after(spinning.SECONDS / 10) for _ in range(3)] == [False, False, True]
    spinning.Times.awake, spinning.Times.work = now + spinning.SECONDS, 0
    assert helped_after(spinning.SECONDS / 2)
    assert not helped_after(spinning.SECONDS)
    # a longer one is worth it
    assert spinning.helps(spinning.WAKING_FROM)


def test_threads_stay_awake_for_short_calls() -> None:
    """And those calls have the bits of one thread, in place too."""
    x = np.linspace(-5, 5, 100_000, dtype=np.float32)
    want = by_one_thread(lambda: gs.sigmoid(x))
    gs.sigmoid(X)
    for _ in range(200):
        assert gs.sigmoid(x).tobytes() == want.tobytes()
        y = x.copy()
        assert gs.sigmoid(y, out=y) is y
        assert y.tobytes() == want.tobytes()
    out = np.empty_like(x), np.empty_like(x)
    for _ in range(20):
        gs.sigmoid.value_and_grad(x, out=out)
    assert out[0].tobytes() == want.tobytes()


def test_a_number_of_threads_counts_at_once(shared: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for short calls, while threads are awake."""
    x = X[:100_000].copy()
    monkeypatch.setattr(spinning, "SECONDS", 60.0)
    monkeypatch.setattr(spinning.Times, "awake", 0.0)
    # on a busy system threads may sleep again before a call has returned
    for _ in range(100):
        gs.sigmoid(X)
        before = len(shared)
        gs.sigmoid(x)
        if len(shared) > before:
            break
    assert shared[-2:] == [2, 2] and len(shared) == before + 1
    gs.set_num_threads(1)
    gs.sigmoid(x)
    assert len(shared) == before + 1


def test_a_number_set_while_another_thread_calls_counts() -> None:
    done = threading.Event()
    out = np.empty_like(X)

    def call() -> None:
        while not done.is_set():
            gs.sigmoid(X, out=out)

    with ThreadPoolExecutor(1) as caller:
        calling = caller.submit(call)
        try:
            for _ in range(30):
                gs.set_num_threads(2)
                time.sleep(0.002)
                gs.set_num_threads(1)
                time.sleep(0.01)
                setting, threads = spinning.Times.threads
                assert threads < 2 or setting is not spinning.Times.setting
        finally:
            done.set()
        calling.result()


FIRST_CALLS = """
import threading
import numpy as np
import gpu_sigmoid as gs

gs.set_num_threads(2)
x = np.zeros(500_000, np.float32)
gs.sigmoid(x[:9])
barrier = threading.Barrier(8)

def compute():
    barrier.wait()
    for _ in range(20):
        assert (gs.sigmoid(x) == 0.5).all()

threads = [threading.Thread(target=compute) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
"""


def test_several_threads_make_the_first_call() -> None:
    printed("-c", FIRST_CALLS)


def test_signals_come_after_a_call(alarm: Any) -> None:
    heard = []
    want = gs.sigmoid(X).tobytes()
    alarm(lambda *_: heard.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    assert all(gs.sigmoid(X).tobytes() == want for _ in range(200))
    assert heard


@needs_fork
@forks
def test_a_forked_child_has_threads_of_its_own() -> None:
    want = gs.sigmoid(X).tobytes()
    with another_thread_computing(X):
        for _ in range(10):
            if (child := os.fork()) == 0:
                right = (
                    all(gs.sigmoid(X).tobytes() == want for _ in range(3)) and len(spinning._spinners) == 1
                )
                os._exit(0 if right else 1)
            assert os.waitpid(child, 0)[1] == 0
