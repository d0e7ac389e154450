"""Threads that draw blocks without Python: the bits of one, whoever else calls, forks or sends signals."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.threads import another_thread_computing, assert_the_bits_of_one_thread, by_one_thread

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import spinning, threads
from gpu_sigmoid.modes import PUBLIC

pytestmark = pytest.mark.usefixtures("two_threads")

# of whatever dtype above the least that is shared, and below what goes through Python
X = np.linspace(0.01, 0.99, threads.SHARED_FROM // 2 + 12_365, dtype=np.float32)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of threads of the calls that were shared."""
    asked: list[int] = []

    def share(plan: Any, job: bytes, number: int) -> None:
        asked.append(number)
        spinning.share(plan, job, number)

    monkeypatch.setattr(threads, "spinning", SimpleNamespace(share=share))
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
    plan: Any = SimpleNamespace(address=address, length=10, size=10 << 16)
    spinning.share(plan, b"job", 2)
    assert not within
    assert len({thread for thread, *_ in seen}) == 2
    assert {tuple(more) for _, *more in seen} == {(b"job", 1)}
    # asleep, they are woken
    time.sleep(20 * spinning.SECONDS)
    seen.clear()
    spinning.share(plan, b"job", 2)
    assert len({thread for thread, *_ in seen}) == 2


def test_many_callers_while_the_number_of_threads_changes() -> None:
    want = gs.sigmoid(X).tobytes()

    def compute(n: int) -> bool:
        gs.set_num_threads(n % 5 + 1)
        return all(gs.sigmoid(X).tobytes() == want for _ in range(20))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(compute, range(64)))


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
    subprocess.run([sys.executable, "-c", FIRST_CALLS], check=True)


def test_signals_come_after_a_call() -> None:
    if not hasattr(signal, "setitimer"):
        pytest.skip("the system has no interval timer")
    heard = []
    want = gs.sigmoid(X).tobytes()
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
        assert all(gs.sigmoid(X).tobytes() == want for _ in range(200))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert heard


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
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
