"""gs.device: the array kernels' bits inside functions that Numba compiles."""

import pickle
import subprocess
import sys
from typing import Any

import numba
import numpy as np
import ptx
import pytest
from components import COMPONENTS, component, operands
from floats import all_patterns, random_patterns
from numba import types

import gpu_sigmoid as gs
from gpu_sigmoid import device
from gpu_sigmoid.lowering import lower
from gpu_sigmoid.lowering.constants import FORMATS

TYPES = {"float32": types.float32, "float64": types.float64}
ARITIES = {
    1: lambda f: lambda x: f(x),
    2: lambda f: lambda x, y: f(x, y),
    3: lambda f: lambda x, y, z: f(x, y, z),
}


def scalar(function: Any, name: str) -> Any:
    return component(getattr(device, function.__name__), name)


def sample(dtype: str) -> np.ndarray:
    x = all_patterns("float32", 40_009) if dtype == "float32" else random_patterns(100_000, 5)
    return np.concatenate([x, np.linspace(-20, 20, 10_001, dtype=x.dtype)])


def same_bits(got: Any, want: Any) -> bool:
    """Compare arrays or tuples of them; which nan it is does not matter."""
    pairs = zip(*(r if isinstance(r, tuple) else (r,) for r in (got, want)), strict=True)
    return all(
        g.dtype == w.dtype and ((g.view(f"u{g.itemsize}") == w.view(f"u{w.itemsize}")) | (g != g) & (w != w)).all()
        for g, w in pairs
    )


def loop(f: Any, inputs: int, outputs: int, first: str = "0", step: str = "1", **scope: Any) -> Any:
    """Return a function that fills arrays with f of others, for Numba to compile."""
    names = [f"{kind}{i}" for kind, count in (("x", inputs), ("y", outputs)) for i in range(count)]
    elements = [f"{name}[i]" for name in names]
    namespace = {"f": f, **scope}
    exec(
        f"def fill({', '.join(names)}):\n"
        f"    for i in range({first}, len(x0), {step}):\n"
        f"        {', '.join(elements[inputs:])} = f({', '.join(elements[:inputs])})",
        namespace,
    )
    return namespace["fill"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", COMPONENTS)
def test_in_njit_the_same_bits(function: Any, name: str, dtype: str) -> None:
    arrays = operands(function, name, sample(dtype))
    want = component(function, name)(*arrays)
    results = tuple(np.empty_like(w) for w in (want if isinstance(want, tuple) else (want,)))
    # fastmath is the caller's affair and is not to reach the function
    fill = loop(scalar(function, name), len(arrays), len(results))
    numba.njit(fill, fastmath=True)(*arrays, *results)
    assert same_bits(results if len(results) > 1 else results[0], want)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["value", "vjp"])
def test_in_vectorize_the_same_bits(function: Any, name: str, dtype: str) -> None:
    arrays = operands(function, name, sample(dtype))
    ufunc = numba.vectorize(ARITIES[len(arrays)](scalar(function, name)))
    assert same_bits(ufunc(*arrays), component(function, name)(*arrays))


def test_reached_by_attributes_inside_compiled_code() -> None:
    @numba.njit
    def inside(x):
        value, grad = gs.device.silu.value_and_grad(x)
        return value, grad, gs.device.silu(x), gs.device.silu.grad(x), gs.device.silu.grad2(x)

    x = np.float32(1.7)
    value, grad = gs.silu.value_and_grad(x)
    assert inside(x) == (value, grad, value, grad, gs.silu.grad2(x))


def test_first_reached_while_compiling() -> None:
    code = (
        "import numba, gpu_sigmoid as gs\n"
        "print(numba.njit(lambda x: gs.device.sigmoid.grad(x))(0.0), gs.sigmoid.grad(0.0))"
    )
    got, want = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
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
        assert call(*arguments) == float(gs.bce_with_logits(*map(np.float64, arguments))) or result == types.float32
        assert call.overloads[tuple(map(numba.typeof, arguments))].signature.return_type == result
    assert call(single, single) == gs.bce_with_logits(single, single)
    assert sigmoid(3) == gs.sigmoid(3.0)


def test_float32_never_meets_float64(function: Any) -> None:
    count = len(operands(function, "value_and_grad", np.ones(1)))
    compiled = numba.njit(ARITIES[count](scalar(function, "value_and_grad")))
    compiled.compile((types.float32,) * count)
    assert "double" not in compiled.inspect_llvm(compiled.signatures[0])


def test_refusals_say_what_is_accepted() -> None:
    with pytest.raises(numba.TypingError, match=r"sigmoid> takes \(x\), by position"):
        numba.njit(lambda x: gs.device.sigmoid(x, x))(1.0)
    with pytest.raises(numba.TypingError, match="takes float32 and float64 numbers.*not complex128"):
        numba.njit(lambda x: gs.device.sigmoid(x))(1j)
    with pytest.raises(AttributeError, match="no function 'sine': sigmoid, "):
        _ = gs.device.sine


def test_objects(function: Any) -> None:
    of_scalars = scalar(function, "value")
    assert pickle.loads(pickle.dumps(of_scalars)) is of_scalars
    assert pickle.loads(pickle.dumps(of_scalars.vjp)) is of_scalars.vjp
    assert function.__name__ in dir(device)
    arguments = operands(function, "grad", np.float32([0.3]))
    # from Python it is the array kernel
    assert of_scalars.grad(*(a[0] for a in arguments)) == function.grad(*arguments)[0]
    assert of_scalars.grad(*(a[0] for a in arguments)).dtype == np.float32


@pytest.mark.parametrize("fastmath", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
def test_in_cuda_every_operation_stands_as_written(function: Any, dtype: str, fastmath: bool) -> None:
    """Nothing contracted, nothing flushed, nothing widened: each operation once, as its PTX."""
    cuda = ptx.numba_cuda()
    count = len(operands(function, "value_and_grad", np.ones(1)))
    f = scalar(function, "value_and_grad")
    source = loop(f, count, 2, "cuda.grid(1)", "cuda.gridsize(1)", cuda=cuda)
    text = ptx.compiled(source, *[TYPES[dtype][::1]] * (count + 2), fastmath=fastmath)
    program = lower(function.formula, "value_and_grad", FORMATS[dtype])
    assert ptx.operations(text) == ptx.expected(program)
    assert ".ftz" not in text
    assert "approx" not in text
    if dtype == "float32":
        assert not any(wide in text for wide in (".f64", "cvt."))
    ptx.assemble(text)
