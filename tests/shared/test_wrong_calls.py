"""Calls with too many operands, of what is no array, or of arrays in several places."""

from typing import Any

import numba
import numba.typed
import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import bits, expected, laid, sample
from helpers.floats import DTYPES
from helpers.methods import methods_of_several_operands, of_each_signature

import gpu_sigmoid as gs
from gpu_sigmoid import registry
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()
OF_SEVERAL_OPERANDS = methods_of_several_operands(registry.FUNCTIONS.values())


@pytest.mark.parametrize("name", PUBLIC)
def test_operands_are_counted(function: Any, name: str, backend: Backend) -> None:
    method = function.methods[name]
    arrays = [laid(backend, a) for a in sample(method, np.float32, 5)]
    untouched = laid(backend, np.full(5, 7, np.float32))
    names = ", ".join(method.operands)
    of_halves = {"value": "", "value_and_grad": ".value_and_grad", "vjp": ".vjp"}
    gated = function in (gs.glu, gs.swiglu)
    halves = f"{function.label}.packed{of_halves[name]}" if gated and name in of_halves else ""
    for _ in range(2):
        for wrong in ((), arrays[:-1], (*arrays, untouched), (*arrays, untouched, untouched)):
            with pytest.raises(TypeError) as caught:
                method(*wrong)
            plural = "s" if len(arrays) > 1 else ""
            hint = ""
            if len(wrong) > len(arrays):
                hint = (
                    f"; by keyword: {method.parameter}=..., out=..."
                    if method.parameter
                    else "; by keyword: out=..."
                )
            if halves and len(wrong) == len(arrays) - 1:
                hint = f"; the halves of one array are for {halves}"
            counted = f"{len(arrays)} operand{plural} ({names}), by position, not {len(wrong)}"
            assert str(caught.value) == f"{method.label} takes {counted}{hint}"
        method(*arrays)
    assert (backend.to_host(untouched) == 7).all()


OF_NUMBA = [numba.float64, numba.float64[:], numba.njit(laid), numba.vectorize(laid)]
NO_ARRAYS = [None, "a", b"a", {1}, {"a": 1}, object(), 1j, np.complex64(1), [None], ["a"], [1, [2, 3]]]


@pytest.mark.parametrize("x", [*NO_ARRAYS, *OF_NUMBA, np.ndarray, float], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("method", [gs.sigmoid, *OF_SEVERAL_OPERANDS], ids=str)
def test_what_is_no_array_is_refused(method: Any, x: Any, backend: Backend) -> None:
    fine = laid(backend, np.full(1, 0.25))
    count = len(method.operands)
    for place in range(count):
        with pytest.raises((TypeError, ValueError)) as caught:
            method(*[x if i == place else fine for i in range(count)])
        assert str(caught.value).startswith(f"{method.label}")
        if not isinstance(x, list):
            assert caught.type is TypeError
            assert isinstance(x, np.generic) or "pandas, polars, torch and xarray" in str(caught.value)


def test_a_class_is_none_of_its_objects() -> None:
    for x in (np.ndarray, np.float32, float):
        name = f"{x.__module__}.{x.__qualname__}"
        with pytest.raises(
            TypeError, match=rf"^sigmoid: the class {name} is not accepted; accepted are numbers"
        ):
            gs.sigmoid(x)
        with pytest.raises(TypeError, match=r"^sigmoid: out must be an array"):
            gs.sigmoid(0.5, out=x)


def test_numbas_lists_are_converted_by_the_caller() -> None:
    x = numba.typed.List([0.5, 1.0])
    for wrong in (x, [x]):
        with pytest.raises(TypeError, match=r"List is not accepted[;:]"):
            gs.sigmoid(wrong)
    assert gs.sigmoid(np.array(list(x))).tolist() == gs.sigmoid([0.5, 1.0]).tolist()


def test_a_list_of_arrays_is_one_of_numpys(backend: Backend) -> None:
    x = laid(backend, np.full(4, 0.25))
    if backend.name == "cpu":
        assert gs.sigmoid([x, x]).shape == (2, 4)
        return
    for wrong in ([x, x], (0.5, [x])):
        with pytest.raises(TypeError, match=r"^sigmoid: a sequence of .* is not accepted: join it"):
            gs.sigmoid(wrong)


@pytest.mark.parametrize(
    "host", [np.full(4, 0.25), np.full((), 0.25), [0.25] * 4, (0.25,), range(4)], ids=repr
)
@pytest.mark.parametrize("method", OF_SEVERAL_OPERANDS, ids=str)
def test_nothing_is_moved_to_a_gpu_unasked(method: Any, host: Any, backend: Backend) -> None:
    if backend.name == "cpu":
        pytest.skip("it lies there")
    there = laid(backend, np.full(4, 0.25))
    count = len(method.operands)
    for place in range(count):
        with pytest.raises(TypeError) as caught:
            method(*[host if i == place else there for i in range(count)])
        names = [f"{k.__module__}.{k.__qualname__}" for k in (type(there), type(host))]
        assert str(caught.value) in [
            f"{method.label}: {a} and {b} cannot be mixed: make them arrays of one library in one place "
            "first; nothing is moved or converted implicitly"
            for a, b in (names, names[::-1])
        ]


@pytest.mark.parametrize("what", ["address", "stride"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_elements_between_their_places_are_refused(
    function: Any, name: str, dtype: str, what: str, backend: Backend
) -> None:
    if backend.name == "cpu":
        pytest.skip("a CPU reads them: tests/cpu/test_numpy_arrays.py")
    method = function.methods[name]
    memory, itemsize = np.zeros(200, np.uint8), DTYPES[dtype].itemsize
    start, step = (1, itemsize) if what == "address" else (0, itemsize + 1)
    _, wrong = backend.lay(memory, np.ndarray(20, DTYPES[dtype], memory, start, (step,)))
    fine = [laid(backend, a) for a in sample(method, DTYPES[dtype], 20)]
    size = f"the {itemsize} bytes of its {dtype}"
    words = f"^{method.label}: an array's address and strides must be multiples of {size}, as a GPU needs"
    for _ in range(2):
        for place in range(len(fine)):
            with pytest.raises(ValueError, match=words):
                method(*(wrong if i == place else a for i, a in enumerate(fine)))
        count = len(method.mode.partials)
        for place in range(count):
            outs = tuple(wrong if i == place else None for i in range(count))
            with pytest.raises(ValueError, match=words):
                method(*fine, out=outs if len(outs) > 1 else wrong)
        method(*fine)


def test_one_element_or_none_may_have_any_stride(backend: Backend) -> None:
    memory = np.zeros(64, np.uint8)
    arrays = [np.ndarray(count, np.float32, memory, start, (6,)) for count, start in ((1, 0), (0, 2))]
    _, one, none = backend.lay(memory, *arrays)
    assert backend.to_host(gs.sigmoid(one)).tolist() == [0.5]
    assert gs.sigmoid(none).shape == (0,)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_refused_call_leaves_the_next_one_as_it_was(function: Any, name: str, backend: Backend) -> None:
    method = function.methods[name]
    hosts = sample(method, np.float32, 50)
    arrays = [laid(backend, h) for h in hosts]
    first = [bits(w) for w in expected(method, *hosts)]
    for wrong in (laid(backend, np.zeros(3, np.float32)), laid(backend, np.zeros(50, np.int8))):
        outs = (wrong,) * len(first)
        with pytest.raises((TypeError, ValueError), match="out has"):
            method(*arrays, out=outs if len(outs) > 1 else wrong)
        got = method(*arrays)
        assert [bits(backend.to_host(y)) for y in (got if len(outs) > 1 else (got,))] == first


@pytest.mark.parametrize("keyword", ["where", "dtype", "casting"])
def test_a_ufuncs_other_keywords_are_refused(keyword: str, backend: Backend) -> None:
    x = laid(backend, np.full(4, 0.25))
    for method in (gs.sigmoid, gs.bce_with_logits.value_and_grad):
        operands = [x] * len(method.operands)
        for _ in range(2):
            with pytest.raises(
                TypeError,
                match=rf"^{method.label} got an .* argument '{keyword}': it accepts only .*out$",
            ):
                method(*operands, **{keyword: None})
        method(*operands)
