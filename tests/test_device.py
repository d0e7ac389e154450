"""gs.device: the array kernels' bits inside functions that Numba compiles."""

import pickle
import subprocess
import sys
import textwrap
from typing import Any

import numba
import numpy as np
import ptx
import pytest
from components import COMPONENTS, as_tuple, component, mode, operands
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
    pairs = zip(*(as_tuple(r) for r in (got, want)), strict=True)
    return all(
        g.dtype == w.dtype and np.array_equal(*(a.view(f"u{a.itemsize}") * (a == a) for a in (g, w)))
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
    results = tuple(np.empty_like(w) for w in (as_tuple(want)))
    # fastmath is the caller's affair and is not to reach the function
    fill = loop(scalar(function, name), len(arrays), len(results))
    numba.njit(fill, fastmath=True)(*arrays, *results)
    assert same_bits(results if len(results) > 1 else results[0], want)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["value", "vjp"])
def test_in_vectorize_the_same_bits(function: Any, name: str, dtype: str) -> None:
    arrays = operands(function, name, sample(dtype))
    ufunc = numba.vectorize(ARITIES[len(arrays)](scalar(function, name)))
    with np.errstate(all="ignore"):  # of a loop of Numba's NumPy warns
        got = ufunc(*arrays)
    assert same_bits(got, component(function, name)(*arrays))


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
        dtype = np.dtype(str(result))
        assert call(*arguments) == gs.bce_with_logits(*(dtype.type(a) for a in arguments))
        assert call.overloads[tuple(map(numba.typeof, arguments))].signature.return_type == result
    assert sigmoid(3) == gs.sigmoid(3.0)


def test_float32_never_meets_float64(function: Any) -> None:
    count = len(operands(function, "value_and_grad", np.ones(1)))
    f = ARITIES[count](scalar(function, "value_and_grad"))
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


def examples() -> dict[str, Any]:
    """Run the documentation's examples and return what they define."""
    host, gpu = (part.partition("The arguments")[0] for part in device.__doc__.split("with numba-cuda:"))
    namespace: dict[str, Any] = {"gpu": textwrap.dedent(gpu)}
    exec(textwrap.dedent(host[host.index("    import") : host.index("and on the GPU")]), namespace)
    return namespace


def test_examples_for_the_host() -> None:
    x, t = np.linspace(-9, 9, 101), np.linspace(0, 1, 101)
    assert examples()["loss"](x, t) == pytest.approx(gs.bce_with_logits(x, t).sum(), rel=1e-13)
    np.testing.assert_array_equal(examples()["gate"](x, t), gs.sigmoid(x) * t)


def test_example_for_the_gpu() -> None:
    ptx.numba_cuda()
    namespace = examples()
    exec(namespace["gpu"], namespace)
    text = ptx.compiled(namespace["update"].py_func, *[types.float32[::1]] * 3)
    assert ptx.operations(text)["rcp.approx.ftz.f32"] == 1
    assert ".f64" not in text


@pytest.mark.parametrize("fastmath", [False, True])
@pytest.mark.parametrize("dtype", TYPES)
def test_in_cuda_every_operation_stands_as_written(function: Any, dtype: str, fastmath: bool) -> None:
    """Nothing contracted, nothing flushed, nothing widened: each operation once, as its PTX."""
    cuda = ptx.numba_cuda()
    count = len(operands(function, "value_and_grad", np.ones(1)))
    f = scalar(function, "value_and_grad")
    source = loop(f, count, 2, "cuda.grid(1)", "cuda.gridsize(1)", cuda=cuda)
    text = ptx.compiled(source, *[TYPES[dtype][::1]] * (count + 2), fastmath=fastmath)
    program = lower(function.formula, mode("value_and_grad"), FORMATS[dtype])
    assert ptx.holds_only(text, program)
    assert not ptx.flushes(text)
    if dtype == "float32":
        assert ".f64" not in text
    ptx.assemble(text)
