"""gs.triton: in a user's Triton kernel the functions give the CPU's bits; compiled by Triton, run by CuPy."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.backends import need
from helpers.calls import bits, sample
from helpers.floats import DTYPES
from helpers.methods import as_tuple
from helpers.modules import written
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC

triton = library("triton")
need("cupy")

from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.compiler.errors import CompilationError

SIZE, BLOCK = 1000, 32
CAPABILITIES = [80, 90, 100, 120]
ALL = "GPU_SIGMOID_ALL_KERNELS" in os.environ
CASES = [
    (name, dtype)
    for name in gs.FUNCTIONS
    for dtype in DTYPES
    if ALL or dtype == "float32" or name in ("sigmoid", "bce_with_logits")
]
TRITON_TYPES = gs.triton.NAMES


def kernel(folder: Path, body: str, pointers: list[str]) -> Any:
    """Return a Triton function of these lines, in which `i` are the indices and `held` whether they exist."""
    head = f"""
import gpu_sigmoid as gs
import triton
import triton.language as tl

@triton.jit
def kernel({", ".join(pointers)}, size, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    held = i < size
"""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return written(folder / "kernel_of_a_user.py", head + lines).kernel


def compiled(function: Any, types: dict[str, str], capability: int) -> Any:
    """Return what Triton compiles for a GPU of a compute capability, pointers to elements of these types."""
    signature = {name: f"*{kind}" for name, kind in types.items()} | {"size": "i32", "BLOCK": "constexpr"}
    source = ASTSource(function, signature, {"BLOCK": BLOCK})
    with triton.knobs.compilation.scope():
        triton.knobs.compilation.disable_line_info = True
        return triton.compile(source, GPUTarget("cuda", capability, 32), {"num_warps": 1})


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that caused it: Triton's first ones name no function."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def launch(built: Any, arrays: list[np.ndarray], results: int) -> list[np.ndarray]:
    """Run a kernel on operands, and return its results."""
    import cupy

    module = cupy.cuda.function.Module()
    module.load(built.asm["ptx"].encode())
    # as bytes, since CuPy does not know every library's bfloat16
    memory = [cupy.asarray(a.view(np.uint8)) for a in arrays]
    memory += [cupy.zeros_like(memory[0]) for _ in range(results)]
    # after its own parameters a kernel has two for memory of Triton's, which these do not use
    arguments = (*memory, np.int32(SIZE), np.uint64(0), np.uint64(0))
    module.get_function(built.metadata.name)((-(-SIZE // BLOCK),), (32,), arguments)
    return [m.get().view(arrays[0].dtype) for m in memory[len(arrays) :]]


def lines(function: Any) -> tuple[str, list[str]]:
    """Return what computes and stores all modes of a function, and the names of the results."""
    operands = [*function.operands, "cotangent"]
    body = [f"_{o} = tl.load({o} + i, held)" for o in operands]
    names = []
    for name in PUBLIC:
        method = function.methods[name]
        arguments = ", ".join(f"_{o}" for o in method.operands)
        results = [f"{name}{k}" for k in range(len(method.mode.partials))]
        called = f"gs.triton.{function.__name__}" + (f".{name}" if name != "value" else "")
        body.append(f"{', '.join(f'_{r}' for r in results)} = {called}({arguments})")
        body += [f"tl.store({r} + i, _{r}, held)" for r in results]
        names += results
    return "\n".join(body), names


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_the_cpus_bits(name: str, dtype: str, tmp_path: Path) -> None:
    function = gs.FUNCTIONS[name]
    body, results = lines(function)
    arrays = list(sample(function.vjp, DTYPES[dtype], SIZE))
    # the tails, zeros and what is no number
    arrays[0][:40] = np.array([*range(-100, 100, 10), *range(-10, 10)])
    arrays[0][:5] = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
    pointers = [*function.operands, "cotangent", *results]
    user = kernel(tmp_path, body, pointers)
    built = compiled(user, dict.fromkeys(pointers, TRITON_TYPES[dtype]), 90)
    got = iter(launch(built, arrays, len(results)))
    for mode in PUBLIC:
        method = function.methods[mode]
        for want in as_tuple(method(*arrays[: len(method.operands)])):
            assert bits(next(got)) == bits(want), method


def test_a_bias_silu_and_a_product_in_one_kernel(tmp_path: Path) -> None:
    body = """\
biased = tl.load(x + i, held) + tl.load(bias + i % 40, held)
tl.store(out + i, gs.triton.silu(biased) * tl.load(gate + i, held), held)"""
    pointers = ["x", "bias", "gate", "out"]
    built = compiled(kernel(tmp_path, body, pointers), dict.fromkeys(pointers, "fp32"), 90)
    x, gate = sample(gs.silu.vjp, "float32", SIZE)
    bias = np.resize(x[:40], SIZE)
    (got,) = launch(built, [x, bias, gate], 1)
    assert bits(got) == bits(gs.silu(x + bias) * gate)


FUSED = "tl.store(y + i, gs.triton.silu(tl.load(x + i, held)) * tl.load(y + i, held), held)"


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_every_architecture_takes_it(capability: int, tmp_path: Path) -> None:
    user = kernel(tmp_path, FUSED, ["x", "y"])
    for kind in TRITON_TYPES.values():
        assert compiled(user, {"x": kind, "y": kind}, capability).asm["cubin"]


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ("i32", "i32", "silu.vjp: accepted are float16, bfloat16, float32 and float64"),
        ("fp32", "fp64", "silu.vjp: operands must have the same dtype"),
        ("fp16", "bf16", "silu.vjp: operands must have the same dtype"),
    ],
)
def test_other_dtypes_are_refused(x: str, y: str, message: str, tmp_path: Path) -> None:
    body = "tl.store(y + i, gs.triton.silu.vjp(tl.load(x + i, held), tl.load(y + i, held)), held)"
    user = kernel(tmp_path, body, ["x", "y"])
    with pytest.raises(CompilationError) as refused:
        compiled(user, {"x": x, "y": y}, 90)
    assert any(message in str(error) for error in causes(refused.value))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("tanh(0.1)", "tanh: the operand must be a block or a scalar in the kernel"),
        ("bce_with_logits(1.0, 0.5, 2)", "bce_with_logits: at least one operand must be a block or a scalar"),
    ],
)
def test_numbers_alone_are_refused(call: str, message: str, tmp_path: Path) -> None:
    user = kernel(tmp_path, f"tl.store(x + i, gs.triton.{call}, held)", ["x"])
    with pytest.raises(CompilationError) as refused:
        compiled(user, {"x": "fp32"}, 90)
    assert any(message in str(error) for error in causes(refused.value))


@pytest.mark.parametrize("target", ["0.25", "tl.load(y)", "tl.load(y + i // 500)"])
def test_numbers_and_scalars_beside_blocks(target: str, tmp_path: Path) -> None:
    body = f"tl.store(out + i, gs.triton.bce_with_logits(tl.load(x + i, held), {target}), held)"
    x, y = sample(gs.bce_with_logits, np.float64, SIZE)
    y[:2] = 0.25
    built = compiled(kernel(tmp_path, body, ["x", "y", "out"]), dict.fromkeys(("x", "y", "out"), "fp64"), 90)
    (got,) = launch(built, [x, y], 1)
    assert bits(got) == bits(gs.bce_with_logits(x, 0.25))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_number_takes_the_dtype_of_what_follows(dtype: str, tmp_path: Path) -> None:
    body = "tl.store(y + i, gs.triton.swiglu(0.1, tl.load(x + i, held)), held)"
    (x,) = sample(gs.tanh, DTYPES[dtype], SIZE)
    built = compiled(kernel(tmp_path, body, ["x", "y"]), dict.fromkeys("xy", TRITON_TYPES[dtype]), 90)
    (got,) = launch(built, [x], 1)
    assert bits(got) == bits(gs.swiglu(np.full_like(x, 0.1), x))


PARAMETRISED = [function for function in gs.FUNCTIONS.values() if function.parameter]


@pytest.mark.parametrize("function", PARAMETRISED, ids=str)
@pytest.mark.parametrize("value", [2.5, "tl.load(cotangent + i, held)"])
def test_a_parameter(function: Any, value: Any, tmp_path: Path) -> None:
    hosts = list(sample(function.vjp, np.float32, SIZE))
    operands = [*function.operands, "cotangent"]
    arguments = [f"tl.load({o} + i, held)" for o in operands] + [f"{function.parameter}={value}"]
    body = f"tl.store(y + i, gs.triton.{function.__name__}.vjp({', '.join(arguments)}), held)"
    built = compiled(kernel(tmp_path, body, [*operands, "y"]), dict.fromkeys([*operands, "y"], "fp32"), 90)
    (got,) = launch(built, hosts, 1)
    given = {function.parameter: hosts[-1] if isinstance(value, str) else value}
    assert bits(got) == bits(function.vjp(*hosts, **given))


def test_a_kernel_is_known_by_the_formulas_in_it(tmp_path: Path) -> None:
    """Triton keeps kernels on the disk: another release's must not be taken for this one's."""
    user = kernel(tmp_path, FUSED, ["x", "y"])
    key = user.cache_key
    text = gs.triton.source_of(gs.silu)
    assert text.strip() == gs.triton.silu.src.strip()
    changed = kernel(tmp_path, FUSED.replace("silu", "sigmoid"), ["x", "y"])
    assert changed.cache_key != key


def test_scipys_names_are_the_same_functions() -> None:
    assert gs.triton.expit is gs.triton.sigmoid
    assert gs.triton.log_expit is gs.triton.log_sigmoid


def test_a_function_there_is_not() -> None:
    with pytest.raises(AttributeError, match=r"gpu_sigmoid\.triton has no function 'relu': sigmoid,"):
        _ = gs.triton.relu
