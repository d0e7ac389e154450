"""Which of the kernels for CuPy arrays serves a call."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs

cupy = pytest.importorskip("cupy", reason="CuPy is not installed")

from gpu_sigmoid.backends.cupy import elementwise, lut, packed, pitched

pytestmark = pytest.mark.usefixtures("gpu")


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of kernels that were launched since a test cleared the list."""
    kinds: list[str] = []

    def recorded(kind: str, launch: Callable) -> Callable:
        def record(*arguments: Any) -> None:
            kinds.append(kind)
            launch(*arguments)

        return record

    for kind, place, name in (
        ("packed", packed, "start"),
        ("pitched", pitched.Launch, "start"),
        ("lut", lut, "launch"),
        ("elementwise", elementwise, "launch"),
    ):
        monkeypatch.setattr(place, name, recorded(kind, getattr(place, name)))
    return kinds


def test_contiguous_arrays_numbers_and_single_elements_are_served_by_vectors(launched: list[str]) -> None:
    x = cupy.asarray(np.linspace(-3, 3, 60, dtype="f4").reshape(6, 10))
    fortran = x.T.copy().T
    others = [x, 0.25, cupy.float32(0.25), cupy.full((1, 1), 0.25, "f4"), cupy.full((), 0.25, "f4")]
    others.append(cupy.broadcast_to(cupy.full(1, 0.25, "f4"), x.shape))
    for other in others:
        gs.bce_with_logits(x, other)
        gs.bce_with_logits(x, other, out=cupy.empty_like(x))
    gs.sigmoid(fortran)
    gs.sigmoid.vjp(fortran, fortran)
    assert set(launched) == {"packed"}


@pytest.mark.parametrize("function", [gs.glu, gs.swiglu], ids=str)
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_halves_of_one_array_are_served_by_vectors(function: Any, dtype: str, launched: list[str]) -> None:
    x = cupy.asarray(np.linspace(-3, 3, 6 * 48).astype(dtype).reshape(6, 48))
    g = cupy.ones((6, 24), dtype)
    for _ in range(2):  # calls after the first are prepared ones
        function.packed(x)
        function.packed(x, out=g)
        function.packed.value_and_grad(x)
        function.packed.vjp(x, g)
        function.packed.vjp(x, g, out=x)
    assert launched == ["pitched"] * 10
    launched.clear()
    function.packed(x, axis=0)
    function.packed(x[:, 1:-1])
    assert launched == ["packed", "elementwise"]


def test_other_rows_are_served_by_vectors_where_all_lie_alike(launched: list[str]) -> None:
    x = cupy.asarray(np.linspace(-3, 3, 6 * 48, dtype="f4").reshape(6, 48))
    gs.sigmoid(x[:, 3:], out=cupy.empty_like(x)[:, 3:])
    gs.sigmoid(x[::-1], out=cupy.empty_like(x))
    gs.bce_with_logits(x, x[:1])
    gs.bce_with_logits(x, x[:, :1])
    assert launched == ["pitched"] * 4
    launched.clear()
    gs.sigmoid(x.reshape(6, 8, 6).transpose(1, 0, 2))
    gs.sigmoid(x[:, 3:])
    gs.sigmoid(x[:, :-1], out=cupy.empty((6, 47), "f4"))
    assert launched == ["packed", "elementwise", "elementwise"]


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x[:, ::2],
        lambda x: x[::-1],
        lambda x: x[:, 1:],
        lambda x: cupy.broadcast_to(x[:1], x.shape),
    ],
)
def test_other_layouts_are_served_by_elements(view: Any, launched: list[str]) -> None:
    x = view(cupy.asarray(np.linspace(-3, 3, 60, dtype="f4").reshape(6, 10)))
    gs.sigmoid(x, out=cupy.empty(x.shape, "f4"))
    gs.bce_with_logits(x, cupy.zeros(x.shape[::-1], "f4").T)
    assert launched == ["elementwise"] * 2


def test_arrays_at_different_distances_from_a_vector_are_served_by_elements(launched: list[str]) -> None:
    memory = cupy.zeros(110, "f4")
    gs.sigmoid(memory[1:50], out=memory[53:102])
    gs.sigmoid(memory[1:48], out=memory[50:97])
    assert launched == ["packed", "elementwise"]


def test_nothing_is_launched_for_empty_arrays(launched: list[str]) -> None:
    assert gs.sigmoid(cupy.zeros((0, 3))).shape == (0, 3)
    assert not launched


def test_large_16_bit_arrays_are_looked_up(launched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lut, "SERVED_FROM", 1 << 12)
    large = cupy.asarray(np.linspace(-9, 9, 1 << 12).astype("f2"))
    lut.table(gs.sigmoid.formula, gs.sigmoid.mode, "float16")  # which is a launch of its own
    lut.table(gs.sigmoid.formula, gs.sigmoid.grad.mode, "float16")

    def kind(call: Any, *operands: Any) -> str:
        launched.clear()
        call(*operands)
        (only,) = launched
        return only

    assert kind(gs.sigmoid, large) == "lut"
    assert kind(gs.sigmoid.value_and_grad, large) == "lut"
    assert kind(gs.sigmoid, large[:-1]) == "packed"
    assert kind(gs.sigmoid, large.reshape(2, -1)[:, 1:]) == "elementwise"
    assert kind(gs.sigmoid.vjp, large, large) == "packed"
    assert kind(gs.bce_with_logits, large, large) == "packed"
    assert kind(gs.sigmoid, large.astype("f4")) == "packed"
    monkeypatch.setattr(lut, "room", lambda device: 99 << 10)
    assert kind(gs.sigmoid, large) == "packed"


def test_no_table_is_made_in_a_capture(launched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lut, "SERVED_FROM", 1 << 12)
    monkeypatch.setattr(lut, "_tables", {})
    x = cupy.zeros(1 << 12, "f2")
    out = cupy.empty_like(x)
    gs.sigmoid(x[1:], out=out[1:])  # compiles, which a capture does not allow
    cupy.cuda.Device().synchronize()
    for kinds in (["packed"], ["lut"]):
        launched.clear()
        with cupy.cuda.Stream(non_blocking=True) as stream:
            stream.begin_capture()
            gs.sigmoid(x, out=out)
            graph = stream.end_capture()
            graph.launch()
            stream.synchronize()
        assert launched == kinds
        assert (out == 0.5).all()
        out.fill(7)
        gs.sigmoid(x, out=out)  # makes it
        cupy.cuda.Device().synchronize()


@pytest.mark.parametrize(
    ("over", "grids"),
    [
        (None, [((66, 2), "value", "grad")]),
        (0, [((132, 1), "grad", "grad"), ((132, 1), "value", "value")]),
        (1, [((132, 1), "value", "value"), ((132, 1), "grad", "grad")]),
    ],
)
def test_two_results_side_by_side_but_what_takes_the_operands_place_last(
    over: int | None, grids: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple] = []
    kernel = lambda grid, block, arguments, shared_mem: calls.append((grid, arguments, shared_mem))  # noqa: E731
    monkeypatch.setattr(lut, "kernel", lambda: kernel)
    monkeypatch.setattr(lut, "table", lambda formula, mode, dtype: mode.name)
    monkeypatch.setattr(lut, "processors", lambda device: 132)
    x = cupy.zeros(132 * lut.THREADS * lut.UNROLLED * 8, np.float16)
    results = [cupy.empty_like(x), cupy.empty_like(x)]
    if over is not None:
        results[over] = x
    lut.launch(gs.sigmoid.formula, gs.sigmoid.value_and_grad.mode, "float16", (x,), tuple(results))
    assert [(grid, arguments[2], arguments[4]) for grid, arguments, _ in calls] == grids
    places = {"value": results[0].data.ptr, "grad": results[1].data.ptr}
    for _, arguments, shared in calls:
        assert [arguments[1].data.ptr, arguments[3].data.ptr] == [places[arguments[2]], places[arguments[4]]]
        assert shared == lut.TABLE_BYTES
