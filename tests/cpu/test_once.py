"""What is computed once, whoever asks for it first."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gpu_sigmoid.backends.once import once


def test_several_threads_ask_first() -> None:
    asked, barrier = [], threading.Barrier(8)

    @once
    def made(name: str) -> object:
        asked.append(name)
        time.sleep(0.01)
        return object()

    def ask(number: int) -> object:
        barrier.wait()
        return made("one" if number % 2 else "another")

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ask, range(8)))
    assert sorted(asked) == ["another", "one"]
    assert len(set(map(id, results))) == 2
    assert results[0] is made("another")


def test_a_failure_is_not_kept() -> None:
    results = iter([ValueError("first"), 2])

    @once
    def made() -> object:
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    with pytest.raises(ValueError, match="first"):
        made()
    assert made() == made() == 2
