"""The dtypes that are accepted, what several give together, and those that are refused."""

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import bits, checked, checked_into, common_dtype, laid, sample
from helpers.floats import BFLOAT16, DTYPES
from helpers.layouts import LAYOUTS, SIZE
from helpers.methods import as_tuple, of_each_signature

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()
INTEGERS = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
ALL = [*DTYPES, *INTEGERS]


def of(dtype: str, values: Any) -> np.ndarray:
    return np.array(values).astype(DTYPES.get(dtype, dtype))


def integers(kind: str) -> np.ndarray:
    return of(kind, [0, 1, 1, 0, 1]) if kind == "bool" else of(kind, [0, 1, 2, 30, 100])


@pytest.mark.parametrize("kind", INTEGERS)
def test_integers_give_float64(function: Any, kind: str, backend: Backend) -> None:
    x = integers(kind)
    got = checked(backend, function, *[x] * len(function.operands))
    assert got.dtype == np.float64


@pytest.mark.parametrize("kind", ["bool", "int16"])
@pytest.mark.parametrize("name", PUBLIC)
def test_integers_beside_floats(name: str, kind: str, backend: Backend) -> None:
    for function in (gs.softplus, gs.bce_with_logits):
        method = function.methods[name]
        got = checked(backend, method, integers(kind), *sample(method, np.float64, 5)[1:])
        assert {y.dtype for y in as_tuple(got)} == {np.dtype("f8")}


@pytest.mark.parametrize("kind", ["bool", "int16", "float16", "bfloat16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_operands_that_are_converted_lie_in_any_way(layout: str, kind: str, backend: Backend) -> None:
    x, cotangent = sample(gs.sigmoid.vjp, np.float64, SIZE)
    checked(backend, gs.sigmoid.vjp, LAYOUTS[layout](of(kind, x)), LAYOUTS[layout](cotangent))


@pytest.mark.parametrize("kind", ["int64", "uint64"])
def test_integers_of_64_bits_are_rounded_to_the_nearest(kind: str, backend: Backend) -> None:
    # between neighbours of float64, and the largest
    x = np.array([2**53 + 1, 2**53 + 3, np.iinfo(kind).max, np.iinfo(kind).min, 2**62 + 3], kind)
    got = backend.to_host(checked(backend, gs.softplus, x))
    assert got[:2].tolist() == [2.0**53, 2.0**53 + 4]


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("number", [2**62 + 2**38 + 1, 2**64, -(2**70)], ids=["twice", "2^64", "-2^70"])
def test_an_integer_is_rounded_as_a_float_is(number: int, backend: Backend) -> None:
    for dtype in DTYPES:
        x = of(dtype, [0.5, -3, 1])
        got = gs.bce_with_logits(laid(backend, x), number)
        want = gs.bce_with_logits(x, of(dtype, float(number)))
        assert bits(backend.to_host(got)) == bits(want)


@pytest.mark.parametrize("kinds", list(product(ALL, ALL)), ids="-".join)
def test_two_dtypes(kinds: tuple[str, str], backend: Backend) -> None:
    x, target = of(kinds[0], [0, 1, 2.25, 3, 100]), of(kinds[1], [0, 1, 1, 0.25, 1])
    if set(kinds) == {"float16", "bfloat16"}:
        with pytest.raises(TypeError) as caught:
            gs.bce_with_logits(laid(backend, x), laid(backend, target))
        assert str(caught.value) == (
            f"bce_with_logits: {kinds[0]} and {kinds[1]} have no common dtype; accepted are float16, "
            "bfloat16, float32 and float64, bool and integers (computed in float64)"
        )
        return
    got = checked(backend, gs.bce_with_logits, x, target)
    assert got.dtype == common_dtype((x, target))
    checked_into(backend, gs.bce_with_logits, (x, target), (backend.to_device(np.zeros(5, got.dtype)),))


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        (("bfloat16", "int8", "float32"), "float32"),
        (("bfloat16", "int64", "float32"), "float64"),
        (("float16", "float32", "float64"), "float64"),
        (("bool", "float16", "uint8"), "float16"),
        (("int16", "bfloat16", "bfloat16"), "float32"),
        (("int32", "uint64", "bool"), "float64"),
        (("float16", "int16", "float16"), "float32"),
        (("float32", "float16", "bool"), "float32"),
    ],
    ids=str,
)
def test_three_dtypes(kinds: tuple[str, ...], common: str, backend: Backend) -> None:
    x, target, cotangent = (of(kind, [0, 1, 1, 0, 1]) for kind in kinds)
    assert checked(backend, gs.bce_with_logits.vjp, x, target, cotangent).dtype == common


def test_three_dtypes_of_which_two_have_nothing_in_common(backend: Backend) -> None:
    arrays = [laid(backend, np.ones(3, kind)) for kind in (BFLOAT16, np.float32, np.float16)]
    with pytest.raises(TypeError, match="bfloat16 and float32 and float16 have no common dtype"):
        gs.bce_with_logits.vjp(*arrays)


# longdouble, objects and strings are NumPy's alone
REFUSED = {
    "cpu": ("complex64", "complex128", "longdouble", "object", "U3", "M8[s]", "m8[s]", "V4"),
    "cupy": ("complex64", "complex128"),
    "numba_cuda": ("complex64", "complex128", "M8[s]", "m8[s]"),
}


@pytest.mark.parametrize("name", PUBLIC)
def test_other_dtypes_are_refused(function: Any, name: str, backend: Backend) -> None:
    method = function.methods[name]
    fine = laid(backend, np.ones(2, np.float32))
    for kind in REFUSED[backend.name]:
        wrong = laid(backend, np.zeros(2, kind))
        count = len(method.operands)
        for place in range(count):
            arrays = [wrong if i == place else fine for i in range(count)]
            named = f"{method.label}: dtype {wrong.dtype} is not accepted; accepted are float16, bfloat16"
            with pytest.raises(TypeError, match=f"^{re.escape(named)}"):
                method(*arrays)
            with pytest.raises(TypeError, match="accepted are float16"):
                method(*arrays, out=wrong)
    method(*[fine] * count)
    for kind in REFUSED[backend.name]:
        out = laid(backend, np.zeros(2, kind))
        outs = (out,) * len(method.mode.partials)
        with pytest.raises(TypeError, match=rf"^{method.label}: out has dtype {re.escape(str(out.dtype))}"):
            method(*[fine] * count, out=outs)


@pytest.mark.parametrize("dtype", ["int16", "uint64", "float16", "float32", "float64"])
@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_other_byte_orders(function: Any, name: str, dtype: str, backend: Backend) -> None:
    if backend.name == "cupy":
        pytest.skip("CuPy turns arrays into the machine's byte order")
    method = function.methods[name]
    swapped = np.dtype(dtype).newbyteorder()
    native = np.abs(sample(method, np.float64, 20)[0]).astype(dtype)
    hosts = [native.astype(swapped)] * len(method.operands)
    if backend.name == "cpu":
        checked(backend, method, *hosts)
        return
    # no GPU computes in it, and nothing is to be read as if in the machine's
    fine = [laid(backend, native.astype(np.float64))] * len(hosts)
    words = f"^{method.label}: {dtype} in the other byte order .*: convert it to {np.dtype(dtype).str}$"
    for place in range(len(hosts)):
        arrays = [laid(backend, hosts[0]) if i == place else f for i, f in enumerate(fine)]
        with pytest.raises(TypeError, match=words):
            method(*arrays)
    method(*fine)
    outs = [laid(backend, np.zeros(20, np.dtype("f8").newbyteorder())) for _ in method.mode.partials]
    with pytest.raises(TypeError, match="float64 in the other byte order"):
        method(*fine, out=tuple(outs) if len(outs) > 1 else outs[0])
