"""Python's integers beyond 64 bits: numbers that float64 holds, or an error that says so."""

from typing import Any

import numpy as np
import pytest
from helpers.required import library

import gpu_sigmoid as gs

LARGE = [2**63, 2**64, -(2**64), 3 * 10**300]
TOO_LARGE = 10**400


@pytest.mark.parametrize("number", LARGE, ids=["2^63", "2^64", "-2^64", "3e300"])
def test_alone_and_in_sequences_as_floats(number: int) -> None:
    want = np.float64(number)
    for name in ("tanh", "softplus", "logit"):
        function = gs.FUNCTIONS[name]
        for method in (function, function.grad):
            got = method(number)
            assert type(got) is np.float64
            np.testing.assert_equal(got, method(want))
        for sequence in ([number, 1], (number, 0.5, True), [[number], [np.float32(2)], [np.int8(3)]]):
            got = function(sequence)
            assert got.dtype == np.float64
            np.testing.assert_array_equal(got, function(np.array(sequence, np.float64)))
    np.testing.assert_array_equal(gs.bce_with_logits(number, 1), gs.bce_with_logits(want, 1.0))
    np.testing.assert_array_equal(gs.softplus(1, beta=number), gs.softplus(1.0, beta=want))


def test_those_that_no_float_holds() -> None:
    for operand in (TOO_LARGE, [TOO_LARGE, 1.0]):
        with pytest.raises(OverflowError, match=r"^tanh: int too large to convert to float, which holds"):
            gs.tanh(operand)
    for operands in ((np.ones(2), TOO_LARGE), (np.float16([1, 2]), TOO_LARGE), (TOO_LARGE, 1.0)):
        with pytest.raises(OverflowError, match=r"^bce_with_logits: int too large to convert to float"):
            gs.bce_with_logits(*operands)
    with pytest.raises(OverflowError, match=r"^glu\.packed\.vjp: int too large to convert to float"):
        gs.glu.packed.vjp(np.ones(2), TOO_LARGE)


@pytest.mark.parametrize("other", [None, "1", 1j, np.longdouble(1), np.datetime64(0, "s")], ids=repr)
def test_beside_what_is_no_number(other: Any) -> None:
    with pytest.raises(TypeError, match="is not accepted"):
        gs.tanh([2**64, other])


def test_beside_a_tensor() -> None:
    torch = library("torch")
    got = gs.bce_with_logits(torch.ones(2), 2**64)
    assert got.dtype == torch.float32
    np.testing.assert_array_equal(got, gs.bce_with_logits(np.ones(2, np.float32), 2**64))
    for _ in range(2):
        with pytest.raises(OverflowError, match=r"^bce_with_logits: int too large to convert to float"):
            gs.bce_with_logits(torch.ones(2), TOO_LARGE)
        gs.bce_with_logits(torch.ones(2), 1)
