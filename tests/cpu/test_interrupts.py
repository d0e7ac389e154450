"""Signals, forks and threads that cannot be started, in the middle of a call or of compiling."""

import multiprocessing
import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.processes import python
from helpers.systems import forks, needs_fork
from helpers.threads import another_thread_computing

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import threads, workers

pytestmark = pytest.mark.usefixtures("two_threads")

X = np.linspace(-5, 5, threads.SPLIT_FROM // 2, dtype=np.float32)


def sigmoid_is_right(_: Any = None) -> bool:
    gs.set_num_threads(2)
    y = gs.sigmoid(X)
    return bool((y[[0, -1]] == gs.sigmoid(X[[0, -1]])).all() and (np.diff(y) >= 0).all())


def helpers_work() -> bool:
    """Return whether another thread takes part in a call."""
    callers = set()
    both = threading.Barrier(2, timeout=10)

    def meet(i: int) -> None:
        callers.add(threading.get_ident())
        both.wait()

    workers.share(meet, 2, 1)
    return len(callers) == 2


class Alarm(Exception):
    pass


def test_after_an_interrupt_no_helper_writes_any_more(alarm: Any) -> None:
    caller, left, times = threading.get_ident(), 0, 0
    writing: list[int] = []

    def write(i: int) -> None:
        if threading.get_ident() == caller:
            time.sleep(1e-4)
        else:
            writing.append(i)
            time.sleep(1e-3)
            writing.pop()

    def handler(*_: Any) -> None:
        nonlocal left
        if left:
            left -= 1
            raise Alarm

    def interrupted() -> None:
        nonlocal left
        try:
            # further signals come while the first one's exception is on its way
            left = random.randrange(1, 15)
            workers.share(write, 50, 1)
        finally:
            left = 0

    alarm(handler)
    for _ in range(300):
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 3e-3), 3e-5)
        try:
            interrupted()
        except Alarm:
            times += not writing
        else:
            times += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert times == 300
    assert helpers_work()
    assert sigmoid_is_right()


def test_an_interrupt_ends_the_call_and_the_next_one_is_right() -> None:
    x = np.zeros(150_000_000, np.float32)
    gs.softplus(x[:1])
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
    assert helpers_work()
    assert sigmoid_is_right()


COMPILING = """
import random, signal
import numpy as np
import gpu_sigmoid as gs

rung = arrived = 0

def handler(*_):
    global rung
    rung += 1
    raise random.choice([TimeoutError, RuntimeError, EOFError, KeyboardInterrupt, MemoryError])("alarm")

signal.signal(signal.SIGALRM, handler)
x = np.linspace(0.1, 0.9, 100, dtype=np.float32)
functions = [c for f in (gs.softplus, gs.silu, gs.logit) for c in (f, f.grad, f.grad2, f.value_and_grad)]
for function in functions:
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.1))
    try:
        function(x)
    except BaseException as error:
        assert str(error) == "alarm", error
        arrived += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert rung == arrived, function
    function(x)
assert arrived > 3, arrived
assert abs(gs.softplus(x) - np.log1p(np.exp(x))).max() < 1e-6
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no interval timer")
def test_what_a_handler_raises_while_a_kernel_is_compiled_arrives(tmp_path: Path) -> None:
    code = "import gpu_sigmoid.backends.cpu.compile\n" + COMPILING
    done = python("-c", code, NUMBA_CACHE_DIR=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@forks
def test_processes(method: str) -> None:
    # by now this process has threads, which a forked one does not inherit
    assert sigmoid_is_right()
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert all(pool.map_async(sigmoid_is_right, range(4)).get(timeout=120))
    assert sigmoid_is_right()


def child_is_right() -> bool:
    """Fork; return whether all is well in the child, which has help too."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        os._exit(0 if sigmoid_is_right() and helpers_work() else 1)
    finally:
        os._exit(2)


@needs_fork
@forks
def test_a_fork_while_another_thread_computes() -> None:
    with another_thread_computing(X):
        assert all(child_is_right() for _ in range(10))


@needs_fork
@forks
def test_a_signal_handler_forks_in_the_middle_of_a_call(alarm: Any) -> None:
    parent = os.getpid()
    children = []
    alarm(lambda *_: children.append(os.fork()))
    want = gs.sigmoid(X)
    for delay in np.linspace(0.0002, 0.001, 10):
        x = X.copy()
        signal.setitimer(signal.ITIMER_REAL, float(delay))
        gs.sigmoid(x, out=x)
        signal.setitimer(signal.ITIMER_REAL, 0)
        right = np.array_equal(x, want)
        if os.getpid() != parent:
            os._exit(0 if right else 1)
        assert right
    assert children
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)


def test_where_no_thread_can_be_started_the_caller_computes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_helpers", [])
    before = threading.stack_size(1 << 46)
    try:
        assert sigmoid_is_right()
        assert workers._helpers == []
    finally:
        threading.stack_size(before)
    assert sigmoid_is_right()
    assert helpers_work()


def test_a_failing_helper_is_heard() -> None:
    caller = threading.get_ident()

    def fail(i: int) -> None:
        if threading.get_ident() != caller:
            raise ZeroDivisionError
        time.sleep(0.01)

    with pytest.raises(ZeroDivisionError):
        workers.share(fail, 10, 1)
    assert helpers_work()
