"""Calls of CuPy arrays like earlier ones: what is kept of those does not stand for what differs."""

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import gpu_sigmoid as gs

cupy = pytest.importorskip("cupy", reason="CuPy is not installed")

pytestmark = pytest.mark.usefixtures("gpu")


class Derived(cupy.ndarray):  # type: ignore[misc]
    """A class of a user's."""


def derived(*shape: int) -> Any:
    return cupy.asarray(np.linspace(-3, 3, int(np.prod(shape)), dtype="f4").reshape(shape)).view(Derived)


@pytest.mark.parametrize("other", [lambda t: t[::2], lambda t: t[8:], lambda t: t[:1], lambda t: t[::-2]])
def test_arrays_of_a_class_of_ones_own_lie_in_many_ways(other: Any) -> None:
    x, t = derived(8), derived(16)
    for operands in ((x, t[:8]), (x, t[:8]), (x, other(t)), (x.view(cupy.ndarray), other(t))):
        want = gs.bce_with_logits(*(o.get() for o in operands))
        assert gs.bce_with_logits(*operands).get().tobytes() == want.tobytes()
    with pytest.raises(ValueError, match=r"^bce_with_logits: operands of shapes \(8,\), \(5,\) do not"):
        gs.bce_with_logits(x, t[:5])


def test_outputs_of_classes_of_ones_own() -> None:
    pair = namedtuple("pair", "value grad")
    x = derived(8)
    want = gs.sigmoid.value_and_grad(x.get())
    for _ in range(3):
        out = pair(derived(8), derived(8))
        for y, w in zip(gs.sigmoid.value_and_grad(x, out=out), want, strict=True):
            assert y.get().tobytes() == w.tobytes()
        with pytest.raises(TypeError, match="out has dtype float64"):
            gs.sigmoid(x, out=derived(8).astype("f8"))


def test_an_operand_of_one_element_is_not_looked_up() -> None:
    x = cupy.broadcast_to(cupy.ones(1, "f2"), (1 << 21,))
    for _ in range(2):
        assert (gs.sigmoid(x).get() == gs.sigmoid(np.float16(1))).all()


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_subnormal_numbers_are_converted(kind: str) -> None:
    dtype = np.dtype("f4") if kind == "float32" else pytest.importorskip("ml_dtypes").bfloat16
    x = np.array([1e-40, -1e-39, 1e-45, 1e-38, -0.0, np.inf], "f4").astype(dtype)
    for other in (np.ones(6), np.ones(6, "i8")):
        for operands in ((x, other), (other, x)):
            want = gs.silu.vjp(*operands)
            assert gs.silu.vjp(*map(cupy.asarray, operands)).get().tobytes() == want.tobytes()


@pytest.mark.parametrize("shape", [(5, 3), (4,)])
def test_outputs_whose_elements_share_memory_are_refused(shape: tuple) -> None:
    out = cupy.lib.stride_tricks.as_strided(derived(7), shape, (4, 4) if len(shape) > 1 else (0,))
    for x in (out, cupy.zeros(shape, "f4")):
        with pytest.raises(ValueError, match=r"^sigmoid: elements of out share memory"):
            gs.sigmoid(x, out=out)
