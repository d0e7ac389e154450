"""-(a * b + c) on ARM, compiled for it here, and the kernels with it run on this CPU."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from helpers.floats import all_patterns
from llvmlite import binding, ir

import gpu_sigmoid as gs
from gpu_sigmoid.backends.cpu import negation
from gpu_sigmoid.backends.cpu.compile import scalar_function, signature_of
from gpu_sigmoid.backends.cpu.vectorize import ELEMENT, TARGET, UFuncBuilder
from gpu_sigmoid.lowering import lower_for
from gpu_sigmoid.lowering.constants import FLOAT32
from gpu_sigmoid.lowering.language import Graph, fma, trace
from gpu_sigmoid.lowering.primitives import OVERLOADS

DTYPES = ("float32", "float64")
MODES = [gs.swiglu.grad, gs.silu.vjp, gs.silu]


def on_arm(negate: Callable[[Any, Any], Any], dtype: str) -> str:
    """Return the assembly for ARM of the negation of a multiply-add."""
    kind = ir.FloatType() if dtype == "float32" else ir.DoubleType()
    module = ir.Module()
    module.triple = "aarch64-unknown-linux-gnu"
    function = ir.Function(module, ir.FunctionType(kind, [kind] * 3), "f")
    builder = ir.IRBuilder(function.append_basic_block())
    builder.ret(negate(builder, builder.fma(*function.args)))
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(module.triple).create_target_machine(opt=3)
    parsed = binding.parse_assembly(str(module))
    builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(parsed, builder)
    return str(machine.emit_assembly(parsed))


@pytest.mark.parametrize("dtype", DTYPES)
def test_it_is_not_made_one_instruction_on_arm(dtype: str) -> None:
    assert "fnmadd" not in on_arm(negation.negate, dtype)
    if "fnmadd" not in on_arm(OVERLOADS["neg", "f"].llvm, dtype):
        pytest.skip("this LLVM does not make one instruction of a negation either")


@pytest.mark.parametrize(
    ("formula", "is_one"),
    [
        (lambda a, b: -fma(a, b, 1.0), True),
        (lambda a, b: -(b * fma(a, b, 1.0)), True),
        (lambda a, b: -(a * b), False),
        (lambda a, b: fma(-a, b, 1.0), False),
    ],
)
def test_it_is_known_where_llvm_could(formula: Any, is_one: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    _, (result,) = trace(formula, Graph(FLOAT32))
    for host_is_arm in (False, True):
        monkeypatch.setattr(negation, "ON_ARM", host_is_arm)
        assert negation.may_lose_its_zero(result) == (host_is_arm and is_one)


@pytest.mark.parametrize("method", MODES, ids=lambda method: method.name)
@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_stay_vectorised_and_keep_their_bits(
    method: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negation, "ON_ARM", True)
    program = lower_for(method.formula, method.mode, dtype)
    scalar, signature = scalar_function(program, dtype), signature_of(program, ELEMENT[dtype])
    builder = UFuncBuilder(scalar, None, cache=False, targetoptions={})
    builder.add(signature)
    llvm = builder.kernel.inspect_llvm()
    assert "gpu_sigmoid_minus_one" in llvm
    assert any(f"fdiv <{lanes} x " in llvm for lanes in (2, 4, 8, 16))

    x = all_patterns("float16", 7).astype(dtype)
    operands = [np.roll(x, k) for k in range(len(program.inputs))]
    results = numba.vectorize([signature], target=TARGET, cache=False)(scalar)(*operands)
    expected = method(*operands)
    for result, want in zip(np.atleast_2d(results), np.atleast_2d(expected), strict=True):
        np.testing.assert_array_equal(result.view(f"u{result.itemsize}"), want.view(f"u{want.itemsize}"))
