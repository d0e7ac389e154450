"""Parameters such as `beta`: by keyword, to the function and to its methods, a number or an array."""

from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, expected, laid, sample
from helpers.floats import DTYPES
from helpers.methods import as_tuple

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = {name: f for name, f in gs.FUNCTIONS.items() if f.parametrised is not None}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_parameter_is_an_operand(function: Any, name: str, dtype: str, backend: Backend) -> None:
    method = function.methods[name]
    with_parameter = method.parametrised
    hosts = sample(with_parameter, DTYPES[dtype], 60)
    place = len(function.operands)
    matrices = [a.reshape(12, 5) for a in hosts]
    for value in (2.5, -3, hosts[place][:1], matrices[place][0], matrices[place][:, :1], matrices[place]):
        operands = (*matrices[:place], value, *matrices[place + 1 :])
        there = [laid(backend, o) for o in operands]
        keyword = {method.parameter: there.pop(place)}
        want = expected(with_parameter, *operands)
        assert_results(backend, method(*there, **keyword), want)
        outs = tuple(backend.to_device(np.zeros((12, 5), DTYPES[dtype])) for _ in want)
        got = method(*there, **keyword, out=outs if len(outs) > 1 else outs[0])
        assert all(y is out for y, out in zip(as_tuple(got), outs, strict=True))
        assert_results(backend, got, want)


@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_none_is_no_parameter(function: Any, name: str, backend: Backend) -> None:
    method = function.methods[name]
    hosts = sample(method, np.float32, 50)
    there = [laid(backend, h) for h in hosts]
    assert_results(backend, method(*there, **{method.parameter: None}), expected(method, *hosts))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("function", "most"), [(gs.softplus, (62, 510)), (gs.silu, (120, 1016))], ids=str)
def test_powers_of_two_move_between_x_and_beta(
    function: Any, most: tuple[int, int], dtype: str, backend: Backend
) -> None:
    """From the least to the largest beta with bounds, the product is the same, and so are all digits."""
    least, largest = (-28, most[0]) if dtype == "float32" else (-420, most[1])
    x, beta = np.linspace(-2, 3, 60).astype(dtype), np.resize(np.array([1.0, 1.7, -1.3], dtype), 60)
    value, derivative = expected(function.methods["value_and_grad"].parametrised, x, beta)
    for exponent in (least, least // 2, largest // 2, largest - 1):
        scaled = [laid(backend, np.ldexp(a, e).astype(dtype)) for a, e in ((x, -exponent), (beta, exponent))]
        want = np.ldexp(value, -exponent), derivative
        assert_results(backend, function.value_and_grad(scaled[0], beta=scaled[1]), want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_softplus_that_overflows_is_infinite(dtype: str, backend: Backend) -> None:
    """With the largest x and a beta so small that log(2) / beta counts beside it."""
    finfo = np.finfo(dtype)
    x, beta = laid(backend, np.full(40, finfo.max, dtype)), laid(backend, np.full(40, finfo.tiny, dtype))
    assert_results(backend, gs.softplus(x, beta=beta), (np.full(40, np.inf, dtype),))


def test_other_keywords_are_refused(backend: Backend) -> None:
    x = laid(backend, np.ones(3))
    for method in (gs.softplus, gs.softplus.vjp):
        operands = (x,) * len(method.operands)
        with pytest.raises(
            TypeError,
            match=rf"^{method.label} got an .* argument 'beat': it accepts only beta and out$",
        ):
            method(*operands, beat=2.0)
        with pytest.raises(TypeError, match=rf"^{method.label} takes .* by position, not"):
            method(*operands, 2.0, beta=2.0)
    with pytest.raises(TypeError, match=r"^sigmoid.grad got an .* argument 'beta': it accepts only out$"):
        gs.sigmoid.grad(x, beta=2.0)
    with pytest.raises(TypeError, match=r"^softplus"):
        gs.softplus(x, beta="2")
