"""`out=`: arrays of any layout take the results and nothing beside them changes; what is refused."""

import pickle
from typing import Any

import numpy as np
import pytest
from helpers.backends import Backend
from helpers.calls import assert_results, checked_into, expected, laid, sample
from helpers.combinations import with_a_dtype
from helpers.exporters import Packed
from helpers.floats import DTYPES
from helpers.methods import as_tuple, of_each_signature, single_results

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

FUNCTIONS = of_each_signature()

# views of 400 elements, of the shape (6, 8)
OUTS = {
    "contiguous": lambda z: z[:48].reshape(6, 8),
    "misaligned": lambda z: z[1:49].reshape(6, 8),
    "Fortran": lambda z: z[:48].reshape(8, 6).T,
    "rows of a wider array": lambda z: z[:60].reshape(6, 10)[:, 1:9],
    "every other": lambda z: z[4:100].reshape(6, 8, 2)[:, :, 1],
    "reversed": lambda z: z[:48].reshape(6, 8)[::-1, ::-1],
}


@with_a_dtype(function=FUNCTIONS.values(), name=PUBLIC, layout=OUTS)
def test_every_layout(function: Any, name: str, dtype: str, layout: str, backend: Backend) -> None:
    method = function.methods[name]
    hosts = tuple(a.reshape(6, 8) for a in sample(method, DTYPES[dtype], 48))
    want = expected(method, *hosts)
    # all results in one memory, one after the other
    memory = np.full(200 * len(want), 7, DTYPES[dtype])
    views = [OUTS[layout](memory[200 * i :]) for i in range(len(want))]
    whole, *outs = backend.lay(memory, *views)
    checked_into(backend, method, hosts, tuple(outs))
    for view, w in zip(views, want, strict=True):
        view[...] = w
    assert backend.to_host(whole).tobytes() == memory.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_result_into_out_and_the_others_new(function: Any, dtype: str, backend: Backend) -> None:
    method = function.methods["value_and_grad"]
    hosts = tuple(a.reshape(6, 8).T for a in sample(method, DTYPES[dtype], 48))
    places = range(len(method.mode.partials))
    for layout in ("contiguous", "Fortran"):
        (out,) = backend.lay(OUTS[layout](np.zeros(48, DTYPES[dtype])).reshape(8, 6))
        for place in places:
            checked_into(backend, method, hosts, tuple(out if i == place else None for i in places))
    checked_into(backend, method, hosts, (None,) * len(places))


@pytest.mark.parametrize("name", [name for name in PUBLIC if name != "value_and_grad"])
def test_one_result_may_be_given_in_a_tuple(function: Any, name: str, backend: Backend) -> None:
    for method in single_results(function.methods[name]):
        hosts = sample(method, np.float32, 20)
        out = laid(backend, np.zeros(20, np.float32))
        assert method(*(laid(backend, h) for h in hosts), out=(out,)) is out
        assert_results(backend, out, expected(method, *hosts))


def outs_of(function: Any, name: str, array: Any) -> Any:
    count = len(function.methods[name].mode.partials)
    return (array,) * count if count > 1 else array


OTHER_DTYPES = [(d, other) for d in DTYPES for other in (*DTYPES, "int32", "bool") if d != other]


@pytest.mark.parametrize(("dtype", "other"), OTHER_DTYPES)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("name", ["value", "value_and_grad"])
def test_another_dtype_is_refused(function: Any, name: str, dtype: str, other: str, backend: Backend) -> None:
    method = function.methods[name]
    arrays = [laid(backend, a) for a in sample(method, DTYPES[dtype], 4)]
    out = laid(backend, np.zeros(4, DTYPES.get(other, other)))
    for _ in range(2):
        with pytest.raises(TypeError) as caught:
            method(*arrays, out=outs_of(function, name, out))
        assert str(caught.value) == f"{method.label}: out has dtype {other}, the result has {dtype}"
        method(*arrays)
    assert not backend.to_host(out).any()


OTHER_SHAPES = [
    ((4,), (2, 4)),
    ((4,), (1, 4)),
    ((4,), (4, 1)),
    ((4,), (3,)),
    ((1,), (4,)),
    ((3, 1), (3, 4)),
    ((3, 4), (4,)),
    ((), (1,)),
    ((), (4,)),
    ((0,), (3, 0)),
    ((0,), (1,)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "other"), OTHER_SHAPES)
def test_another_shape_is_refused(backend: Backend, shape: tuple, other: tuple, dtype: str) -> None:
    x = backend.to_device(np.full(shape, 0.25, DTYPES[dtype]))
    right, wrong = (backend.to_device(np.full(s, 7, DTYPES[dtype])) for s in (shape, other))
    calls = [
        (gs.sigmoid, (x,), wrong),
        (gs.sigmoid, (x,), (wrong,)),
        (gs.sigmoid.vjp, (x, x), wrong),
        (gs.sigmoid.vjp, (x, 0.5), wrong),
        (gs.bce_with_logits, (0.5, x), wrong),
        (gs.sigmoid.value_and_grad, (x,), (wrong, right)),
        (gs.sigmoid.value_and_grad, (x,), (right, wrong)),
        (gs.sigmoid.value_and_grad, (x,), (None, wrong)),
    ]
    for function, arrays, out in calls:
        # Calls after the first take a shorter way. It is waited for, lest its result be freed too early.
        backend.to_host(as_tuple(function(*arrays))[0])
        with pytest.raises(ValueError) as caught:
            function(*arrays, out=out)
        name = function.label
        assert str(caught.value) == f"{name}: out has shape {other}, the result has {shape}"
        assert (backend.to_host(wrong) == 7).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_another_number_of_arrays_is_refused(function: Any, dtype: str, backend: Backend) -> None:
    x, out = (laid(backend, np.full(4, 7, DTYPES[dtype])) for _ in range(2))
    arrays = [x] * len(function.operands)
    method = function.methods["value_and_grad"]
    method(*arrays)
    count = len(method.mode.partials)
    for wrong in (out, (out,), (out,) * (count - 1), (out,) * (count + 1), ()):
        with pytest.raises(TypeError, match=f"out must be a tuple of {count} arrays"):
            method(*arrays, out=wrong)
    function(*arrays)
    for wrong in ((out, out), ()):
        with pytest.raises(TypeError, match="out must be one array"):
            function(*arrays, out=wrong)
    assert (backend.to_host(out) == 7).all()


NO_ARRAYS = [[0.0] * 4, 0.0, np.float64(0), "out", object(), {}]


@pytest.mark.parametrize("out", NO_ARRAYS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("name", ["value", "value_and_grad"])
def test_what_is_no_array_is_refused(function: Any, name: str, out: Any, backend: Backend) -> None:
    arrays = [laid(backend, np.full(4, 0.25))] * len(function.operands)
    function.methods[name](*arrays)
    with pytest.raises(TypeError, match=rf"^{function.methods[name].label}: out must be an array, or for"):
        function.methods[name](*arrays, out=outs_of(function, name, out))


def test_out_by_dlpack_alone_is_refused(backend: Backend) -> None:
    x = laid(backend, np.full(4, 0.25))
    if backend.name == "numba_cuda":
        pytest.skip("Numba's arrays offer no DLPack")
    with pytest.raises(
        TypeError, match=r"^sigmoid: (numpy.ndarray and .*Packed cannot be mixed|out must be a CuPy)"
    ):
        gs.sigmoid(x, out=Packed(x, 1 if backend.name == "cpu" else 2))


@pytest.mark.parametrize("name", ["value", "value_and_grad"])
def test_an_array_of_another_place_is_refused(function: Any, name: str, backend: Backend) -> None:
    if backend.name == "cpu":
        pytest.skip("the other place is the CPU")
    method = function.methods[name]
    there, here = laid(backend, np.full(4, 0.25)), np.full(4, 7.0)
    arrays = [[x] * len(function.operands) for x in (there, here)]
    for operands, out in zip(arrays, (here, there), strict=True):
        with pytest.raises(TypeError, match=rf"^{method.label}: .* and .* cannot be mixed"):
            method(*operands, out=outs_of(function, name, out))
    assert (here == 7).all()


@pytest.mark.parametrize("size", [5, 3_000_000])
def test_results_that_would_be_written_over_each_other_are_refused(size: int, backend: Backend) -> None:
    x = backend.to_device(np.linspace(-3, 3, size))
    both = backend.to_device(np.zeros(2 * size))
    for out in ((both[:size], both[:size]), (both[:size], both[size // 2 : size // 2 + size])):
        with pytest.raises(ValueError, match="the arrays of out share memory"):
            gs.sigmoid.value_and_grad(x, out=out)
    wanted = [backend.to_host(y) for y in gs.sigmoid.value_and_grad(x)]
    for out in ((both[:size], both[size:]), (both[::2], both[1::2])):
        gs.sigmoid.value_and_grad(x, out=out)
        whole = backend.to_host(both)
        got = (whole[:size], whole[size:]) if out[0].strides[0] == 8 else (whole[::2], whole[1::2])
        for y, w in zip(got, wanted, strict=True):
            assert np.array_equal(y, w)


GATED = [function for function in gs.FUNCTIONS.values() if function.signature.gradients > 1]


@pytest.mark.parametrize("function", GATED, ids=str)
def test_several_gradients_are_nested_and_so_is_out(function: Any, backend: Backend) -> None:
    hosts = sample(function, np.float32, 20)
    arrays = [laid(backend, h) for h in hosts]
    value, gradients = function.value_and_grad(*arrays)
    want = expected(function.methods["value_and_grad"], *hosts)
    assert_results(backend, (value, *gradients), want)
    first, second, third = (laid(backend, np.zeros(20, np.float32)) for _ in range(3))
    got = function.value_and_grad(*arrays, out=(first, (second, third)))
    assert got[0] is first and got[1][0] is second and got[1][1] is third
    assert_results(backend, (first, second, third), want)
    for partly in ((None, (None, third)), (None, None)):
        value, gradients = function.value_and_grad(*arrays, out=partly)
        assert_results(backend, (value, *gradients), want)
    for wrong in (first, (first,), (first, second), (first, second, third), (first, (second,)), ()):
        with pytest.raises(TypeError, match=r"out must be a tuple \(value, \(by_a, by_b\)\)"):
            function.value_and_grad(*arrays, out=wrong)
    assert pickle.loads(pickle.dumps(function.value_and_grad)) is function.value_and_grad
