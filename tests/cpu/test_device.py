"""gs.device: the array kernels' bits inside functions that Numba compiles."""

import inspect
import pickle
from typing import Any

import numba
import numpy as np
import pytest
from helpers.calls import same_bits
from helpers.floats import all_patterns, random_patterns
from helpers.methods import as_tuple, operands, side, single_results
from helpers.processes import printed
from helpers.scalars import ARITIES, loop, scalar_method, shows
from numba import literal_unroll, types

import gpu_sigmoid as gs
from gpu_sigmoid import device
from gpu_sigmoid.modes import PUBLIC

TYPES = {"float32": types.float32, "float64": types.float64}


def sample(dtype: str) -> np.ndarray:
    x = all_patterns("float32", 40_009) if dtype == "float32" else random_patterns(100_000, 5)
    return np.concatenate([x, np.linspace(-20, 20, 10_001, dtype=x.dtype)])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_in_njit_the_same_bits(function: Any, name: str, dtype: str) -> None:
    arrays = operands(function, name, sample(dtype))
    want = function.methods[name](*arrays)
    results = tuple(np.empty_like(w) for w in as_tuple(want))
    # fastmath is the caller's affair and is not to reach the function
    fill = loop(scalar_method(function, name), len(arrays), len(results))
    numba.njit(fill, fastmath=True)(*arrays, *results)
    assert same_bits(results, want)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["value", "vjp"])
def test_in_vectorize_the_same_bits(function: Any, name: str, dtype: str) -> None:
    if name not in [method.mode.name for method in single_results(function.methods[name])]:
        pytest.skip("numba.vectorize takes functions of one result")
    arrays = operands(function, name, sample(dtype))
    ufunc = numba.vectorize(ARITIES[len(arrays)](scalar_method(function, name)))
    with np.errstate(all="ignore"):  # NumPy warns of what Numba's loop computes
        got = ufunc(*arrays)
    assert same_bits(got, function.methods[name](*arrays))


def test_reached_by_attributes_inside_compiled_code() -> None:
    @numba.njit
    def inside(x):
        value, grad = gs.device.silu.value_and_grad(x)
        return value, grad, gs.device.silu(x), gs.device.silu.grad(x), gs.device.silu.grad2(x)

    x = np.float32(1.7)
    value, grad = gs.silu.value_and_grad(x)
    assert inside(x) == (value, grad, value, grad, gs.silu.grad2(x))


def test_a_parameter_by_its_name() -> None:
    @numba.njit
    def inside(x, g, beta):
        value, grad = gs.device.softplus.value_and_grad(x, beta=beta)
        return value, grad, gs.device.softplus.vjp(x, g, beta=beta), gs.device.softplus(x)

    x, g, beta = np.float32(1.7), np.float32(-3.0), np.float32(0.4)
    value, grad = gs.softplus.value_and_grad(x, beta=beta)
    assert inside(x, g, beta) == (value, grad, gs.softplus.vjp(x, g, beta=beta), gs.softplus(x))
    with pytest.raises(numba.TypingError, match=r"softplus> got .* argument 'gain': it accepts only beta\n"):
        numba.njit(lambda x: gs.device.softplus(x, gain=x))(1.0)


def test_a_parameter_that_is_none_is_no_parameter() -> None:
    @numba.njit
    def outer(x, beta=None):
        return gs.device.silu.value_and_grad(x, beta=beta)

    x = np.float32(1.7)
    assert outer(x) == outer(x, None) == gs.silu.value_and_grad(x)
    assert outer(x, x) == gs.silu.value_and_grad(x, beta=x)


def test_first_reached_while_compiling() -> None:
    code = (
        "import numba, gpu_sigmoid as gs\n"
        "print(numba.njit(lambda x: gs.device.sigmoid.grad(x))(0.0), gs.sigmoid.grad(0.0))"
    )
    got, want = printed("-c", code).split()
    assert got == want


def test_types_decide() -> None:
    single, double = np.float32(0.3), np.float64(0.3)
    call = numba.njit(lambda x, target: gs.device.bce_with_logits(x, target))
    sigmoid = numba.njit(lambda x: gs.device.sigmoid(x))
    for arguments, result in (
        ((single, single), types.float32),
        ((single, double), types.float64),
        ((double, True), types.float64),
        ((1, 0), types.float64),
    ):
        dtype = np.dtype(str(result))
        assert call(*arguments) == gs.bce_with_logits(*(dtype.type(a) for a in arguments))
        assert call.overloads[tuple(map(numba.typeof, arguments))].signature.return_type == result
    assert sigmoid(3) == gs.sigmoid(3.0)


def test_float32_never_meets_float64(function: Any) -> None:
    count = len(operands(function, "value_and_grad", np.ones(1)))
    f = ARITIES[count](scalar_method(function, "value_and_grad"))
    # the wrapper that Python calls it by would convert from Python's float
    compiled = numba.njit(f, no_cpython_wrapper=True)
    compiled.compile((types.float32,) * count)
    assert "double" not in compiled.inspect_llvm(compiled.signatures[0])


def test_refusals_say_what_is_accepted() -> None:
    with pytest.raises(numba.TypingError, match=r"sigmoid> takes 1 operand \(x\), by position, not 2"):
        numba.njit(lambda x: gs.device.sigmoid(x, x))(1.0)
    with pytest.raises(numba.TypingError, match=r"vjp> takes 2 operands \(x, cotangent\), by position"):
        numba.njit(lambda x: gs.device.sigmoid.vjp(x, cotangent=x))(1.0)
    with pytest.raises(numba.TypingError, match=r"takes float32 and float64 numbers.*not complex128"):
        numba.njit(lambda x: gs.device.sigmoid(x))(1j)
    for call in (gs.device.sigmoid, numba.njit(lambda x, out: gs.device.sigmoid(x, out=out))):
        with pytest.raises((TypeError, numba.TypingError), match=r"sigmoid> got .* argument 'out': .* none"):
            call(1.0, out=np.ones(()))
    for wrong in ([1.0], np.ones(1)):
        with pytest.raises(TypeError, match=r"sigmoid> takes numbers, not .*: gpu_sigmoid.sigmoid takes arr"):
            gs.device.sigmoid(wrong)
    with pytest.raises(AttributeError, match="no function 'sine': sigmoid, "):
        _ = gs.device.sine


def test_given_to_compiled_functions(function: Any) -> None:
    of_scalars = scalar_method(function, "value")
    arguments = tuple(a[0] for a in operands(function, "value", side(function) * np.float32([0.3])))

    @numba.njit
    def all_of(functions, arguments):
        total = np.float32(0)
        for f in literal_unroll(functions):
            total += f(*arguments)
        return functions, total, functions[0].grad(*arguments)

    of_two = gs.device.bce_with_logits
    other = (gs.device.silu.grad2, of_two.grad2, of_two.vjp)[len(arguments) - 1]
    given = (of_scalars, other, of_scalars)
    back, total, grad = all_of(given, arguments)
    assert back == given
    want = np.float32(0)
    for method in given:
        want += method(*arguments)
    assert total == want
    assert grad == of_scalars.grad(*arguments)


def test_what_may_be_none() -> None:
    @numba.njit
    def of_some(x, some):
        y = x if some else None
        return gs.device.sigmoid.vjp(y, x)

    for x in (np.float32(0.3), 0.3):
        assert of_some(x, True) == gs.sigmoid.vjp(x, x)
    assert [s.return_type for s in of_some.nopython_signatures] == [types.float32, types.float64]
    with pytest.raises(TypeError, match="expected float64, got None"):
        of_some(0.3, False)


def test_they_are_pickled_by_name_and_called_from_python(function: Any) -> None:
    of_scalars = scalar_method(function, "value")
    assert pickle.loads(pickle.dumps(of_scalars)) is of_scalars
    assert pickle.loads(pickle.dumps(of_scalars.vjp)) is of_scalars.vjp
    assert function.label in dir(device)
    arguments = operands(function, "grad", side(function) * np.float32([0.3]))
    # from Python it is the array kernel
    got = as_tuple(of_scalars.grad(*(a[0] for a in arguments)))
    assert got == tuple(y[0] for y in as_tuple(function.grad(*arguments)))
    assert all(y.dtype == np.float32 for y in got)


@numba.njit
def loss(logits, labels):
    total = 0.0
    for i in range(len(logits)):
        total += gs.device.bce_with_logits(logits[i], labels[i])
    return total


@numba.vectorize
def gate(x, y):
    return gs.device.sigmoid(x) * y


def test_examples_of_the_documentation() -> None:
    assert shows(device, loss) and shows(device, gate.__wrapped__)
    x, t = np.linspace(-9, 9, 101), np.linspace(0, 1, 101)
    assert loss(x, t) == pytest.approx(gs.bce_with_logits(x, t).sum(), rel=1e-13)
    np.testing.assert_array_equal(gate(x, t), gs.sigmoid(x) * t)


def test_help_is_of_scalars(function: Any) -> None:
    for name in PUBLIC:
        scalar = scalar_method(function, name)
        assert {*inspect.signature(scalar).parameters} == {*scalar.operands, scalar.method.parameter} - {""}
        assert "out :" not in scalar.__doc__
        assert ", ".join(inspect.signature(scalar).parameters) + " : scalar" in scalar.__doc__
