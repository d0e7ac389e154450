"""Large arrays over several threads: the bits of one, whoever else is calling."""

import os
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.floats import DTYPES
from helpers.threads import assert_the_bits_of_one_thread, by_one_thread

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import placement, threads, workers
from gpu_sigmoid.modes import PUBLIC

pytestmark = pytest.mark.usefixtures("two_threads")

# so many that a call is split in 16 bits, too
LARGE = threads.SPLIT_FROM // 2 + 12_365
X = np.linspace(0.01, 0.99, LARGE, dtype=np.float32)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many helpers each call that was split asked for."""
    asked: list[int] = []

    def share(function: Any, length: int, helpers: int) -> None:
        asked.append(helpers)
        workers.share(function, length, helpers)

    monkeypatch.setattr(threads, "share", share)
    return asked


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_blocks_give_the_bits_of_one_thread(name: str, dtype: str, drawn: list[int]) -> None:
    assert_the_bits_of_one_thread(name, dtype, X)
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


def test_results_that_are_halves_of_one_array_are_split(drawn: list[int]) -> None:
    x = X[: LARGE // 1000 * 1000].reshape(-1, 1000)
    both = np.empty((x.shape[0], 2000), np.float32)
    gs.sigmoid.value_and_grad(x, out=(both[:, :1000], both[:, 1000:]))
    assert drawn == [1]
    assert both.tobytes() == by_one_thread(lambda: np.hstack(gs.sigmoid.value_and_grad(x))).tobytes()


def windows(x: np.ndarray) -> tuple:
    view = np.lib.stride_tricks.sliding_window_view(x, 3, writeable=True)
    return (view,), view


def one_row_for_all(x: np.ndarray) -> tuple:
    row = x[: x.size // 4]
    return (x[: 4 * row.size].reshape(4, -1).copy(),), np.lib.stride_tricks.as_strided(
        row, (4, row.size), (0, 4)
    )


def a_number_within(x: np.ndarray) -> tuple:
    return (x, x[x.size // 2 :][:1].reshape(())), x


OVERLAPPING = {f.__name__: f for f in (windows, one_row_for_all, a_number_within)}


@pytest.mark.parametrize("case", OVERLAPPING)
def test_where_the_order_matters_it_is_that_of_one_thread(case: str, drawn: list[int]) -> None:
    def computed() -> int:
        memory = np.linspace(-3, 3, 2 * LARGE, dtype=np.float32)
        arguments, out = OVERLAPPING[case](memory)
        function = gs.bce_with_logits if len(arguments) == 2 else gs.sigmoid
        assert function(*arguments, out=out) is out
        return zlib.crc32(memory)

    assert computed() == by_one_thread(computed)
    assert drawn == []


def mapped(path: Path, mode: Any) -> np.memmap:
    return np.memmap(path, np.float32, mode, shape=X.shape)


def test_memory_maps_are_split(tmp_path: Path, drawn: list[int]) -> None:
    want = gs.sigmoid(X)
    mapped(tmp_path / "x", "w+")[:] = X
    x, y = mapped(tmp_path / "x", "r"), mapped(tmp_path / "y", "w+")
    for mode in ("r", "r+", "c"):
        result = gs.sigmoid(mapped(tmp_path / "x", mode))
        assert type(result) is type(by_one_thread(lambda: gs.sigmoid(x))) is np.ndarray
        assert np.array_equal(result, want)
    assert gs.sigmoid(x, out=y) is y
    assert np.array_equal(y, want)
    value, grad = gs.sigmoid.value_and_grad(x, out=(y, None))
    assert value is y and type(grad) is np.ndarray
    own = mapped(tmp_path / "x", "c")
    assert gs.sigmoid(own, out=own) is own
    assert np.array_equal(own, want)
    assert drawn == [1] * 7


def test_a_file_that_is_mapped_twice_is_not_split(tmp_path: Path, drawn: list[int]) -> None:
    def computed() -> int:
        mapped(tmp_path / "x", "w+")[:] = X
        x, out = mapped(tmp_path / "x", "r"), mapped(tmp_path / "x", "r+")
        gs.sigmoid(x[:-1], out=np.asarray(out)[1:])
        return zlib.crc32(out)

    assert computed() == by_one_thread(computed)
    assert drawn == []


class Own(np.ndarray):
    pass


@pytest.mark.parametrize("wrap", [lambda x: x.view(Own), np.ma.masked_array])
def test_subclasses_are_not_split(wrap: Callable, drawn: list[int]) -> None:
    for arguments in ((wrap(X), 0.5), (X, wrap(np.float32([0.5]).reshape(())))):
        result = gs.bce_with_logits(*arguments)
        assert type(result) is type(wrap(X))
    assert drawn == []


def test_small_arrays_and_one_thread_are_not_split(drawn: list[int]) -> None:
    gs.sigmoid(X[:1000])
    by_one_thread(lambda: gs.sigmoid(X))
    assert drawn == []


# long enough for the threads of `spinning` to help, and too short for those of `workers`
SHORTER = X[: LARGE // 7]


@pytest.mark.parametrize(("x", "calls"), [(X, 128), (SHORTER, 1280)], ids=["workers", "spinning"])
def test_many_callers_while_the_number_of_threads_changes(x: np.ndarray, calls: int) -> None:
    want = gs.sigmoid(x).tobytes()
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
            results = list(pool.map(lambda _: gs.sigmoid(x).tobytes() == want, range(calls)))
    finally:
        done.set()
        changer.join()
    assert all(results)


@pytest.mark.skipif(placement.current_cpu() < 0, reason="the system does not tell a thread's CPU")
@pytest.mark.parametrize("others", [0, 1])
def test_helpers_are_kept_off_their_callers_cpu(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = sorted(os.sched_getaffinity(0))[: 1 + others]
    if len(allowed) <= others:
        pytest.skip("one CPU only")
    helper = workers.up_to(1)[0]
    gs.sigmoid(X)
    told: dict[int, set[int]] = {}
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: set(allowed))
    monkeypatch.setattr(os, "sched_setaffinity", told.__setitem__)
    monkeypatch.setattr(workers, "current_cpu", lambda: allowed[0])
    monkeypatch.setattr(helper, "off", -1)
    gs.sigmoid(X)
    gs.sigmoid(X)
    assert told == ({helper.native_id: {allowed[1]}} if others else {})


def test_a_large_number_starts_a_few_threads_for_each_cpu(drawn: list[int]) -> None:
    gs.set_num_threads(10**6)
    gs.sigmoid(X)
    assert X.size > 20 * threads.SMALLEST_BLOCK
    # two CPUs, and the caller is one of the threads
    assert drawn == [2 * threads.PER_CPU - 1]


def test_the_number_is_checked_and_none_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("2", 2.0, True, [2]):
        with pytest.raises(TypeError, match=r"^set_num_threads: n must be a positive integer or None, not"):
            gs.set_num_threads(wrong)  # type: ignore[arg-type]
    for negative in (0, -1):
        with pytest.raises(ValueError, match=r"^set_num_threads: n must be a positive integer, not"):
            gs.set_num_threads(negative)
    assert gs.get_num_threads() == 2
    gs.set_num_threads(None)
    monkeypatch.setenv("GPU_SIGMOID_NUM_THREADS", "7")
    assert gs.get_num_threads() == 7
