"""Calls on one thread, for comparison with several, and calls by another thread meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import gpu_sigmoid as gs
from helpers.floats import DTYPES
from helpers.methods import as_tuple, operands


def by_one_thread(call: Callable[[], Any]) -> Any:
    gs.set_num_threads(1)
    try:
        return call()
    finally:
        gs.set_num_threads(2)


def assert_the_bits_of_one_thread(name: str, dtype: str, x: np.ndarray) -> None:
    """Assert that several threads give the same bits, for a function of one operand and one of two."""
    for function in (gs.softplus, gs.bce_with_logits):
        arguments = operands(function, name, x.astype(DTYPES[dtype]))
        got = function.methods[name](*arguments)
        want = by_one_thread(lambda f=function, a=arguments: f.methods[name](*a))
        for y, w in zip(as_tuple(got), as_tuple(want), strict=True):
            assert y.tobytes() == w.tobytes()


@contextmanager
def another_thread_computing(x: np.ndarray) -> Iterator[None]:
    """Let another thread call a function on an array repeatedly meanwhile."""
    done = threading.Event()

    def compute() -> None:
        while not done.is_set():
            gs.sigmoid(x)

    other = threading.Thread(target=compute)
    other.start()
    try:
        yield
    finally:
        done.set()
        other.join()
