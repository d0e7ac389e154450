"""torch.compile, torch.export, torch.fx, torch.jit and ONNX: functions, and every module."""

import io
import pickle
from typing import Any

import pytest
from helpers.processes import printed
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from gpu_sigmoid.backends.torch import call_by_name
from gpu_sigmoid.torch import nn

X, TARGET = torch.linspace(-3, 3, 12).reshape(4, 3), torch.linspace(0, 1, 12).reshape(4, 3)
MODULES = {
    "Sigmoid": nn.Sigmoid(),
    "Tanh": nn.Tanh(),
    "LogSigmoid": nn.LogSigmoid(),
    "Softplus": nn.Softplus(),
    "Softplus(beta)": nn.Softplus(2.5),
    "SiLU": nn.SiLU(),
    "SiLU(inplace)": nn.SiLU(inplace=True),
    "BCEWithLogitsLoss": nn.BCEWithLogitsLoss(),
    "BCEWithLogitsLoss(weights)": nn.BCEWithLogitsLoss(
        weight=torch.tensor([0.5, 1.0, 2.0]), pos_weight=torch.tensor([3.0, 1.0, 0.5]), reduction="none"
    ),
}


def given(module: Any) -> tuple[Any, ...]:
    return (X.clone(), TARGET) if isinstance(module, nn.BCEWithLogitsLoss) else (X.clone(),)


@pytest.fixture(params=MODULES.values(), ids=MODULES)
def module(request: pytest.FixtureRequest) -> Any:
    torch._dynamo.reset()
    return request.param


def in_a_process_of_its_own(code: str, *arguments: str) -> str:
    return printed("-W", "error::UserWarning:gpu_sigmoid", "-c", code, *arguments, timeout=300)


FIRST_CALL = """
import gpu_sigmoid as gs
import torch

torch._dynamo.config.error_on_recompile = True
x = torch.linspace(-3, 3, 8, requires_grad=True)
f = torch.compile(lambda x: gs.silu(x) * gs.sigmoid.value_and_grad(x)[1], fullgraph=True, backend="aot_eager")
y = [f(x) for _ in range(2)][-1]
y.sum().backward()
want = gs.silu(x.detach()) * gs.sigmoid.grad(x.detach())
assert torch.equal(y, want), (y, want)
# the first that are not compiled, on other arrays too, are no reason to compile anew
gs.sigmoid([1.0])
assert torch.equal(f(x), want)
print(x.grad.isfinite().all().item())
"""


def test_the_first_call_of_a_process_may_be_compiled() -> None:
    assert in_a_process_of_its_own(FIRST_CALL) == "True\n"


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_modules_compile(module: Any, backend: str) -> None:
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    torch.testing.assert_close(compiled(*given(module)), module(*given(module)))


def test_compiled_gradients_are_the_eager_ones() -> None:
    def model(x: Any) -> Any:
        s, ds = gs.sigmoid.value_and_grad(x)
        return (s * gs.softplus(x) + ds + gs.bce_with_logits(x, x.detach() * 0 + 1)).sum()

    x = torch.linspace(-3, 3, 64, dtype=torch.float64, requires_grad=True)
    (eager,) = torch.autograd.grad(model(x), x)
    (compiled,) = torch.autograd.grad(torch.compile(model, fullgraph=True, backend="aot_eager")(x), x)
    torch.testing.assert_close(compiled, eager)


def test_transforms_compile() -> None:
    torch._dynamo.reset()
    x, t = torch.linspace(-3, 3, 7, dtype=torch.float64), torch.linspace(-1, 1, 7, dtype=torch.float64)
    ones = torch.ones_like(x)
    programs: dict[str, tuple[Any, Any]] = {
        "vmap(grad)": (lambda x: torch.func.vmap(torch.func.grad(gs.silu))(x), gs.silu.vjp(x, ones)),
        "jvp": (lambda x: torch.func.jvp(gs.silu, (x,), (t,))[1], gs.silu.vjp(x, t)),
        "jacrev": (lambda x: torch.func.jacrev(gs.silu)(x), torch.diag(gs.silu.grad(x))),
        "hessian": (
            lambda x: torch.func.hessian(lambda x: gs.silu(x).sum())(x),
            torch.diag(gs.silu.grad2(x)),
        ),
        "out=": (lambda x: gs.silu(x, out=torch.empty_like(x)) * 2, gs.silu(x) * 2),
    }
    for name, (program, want) in programs.items():
        got = torch.compile(program, fullgraph=True, backend="aot_eager")(x)
        torch.testing.assert_close(got, want, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("compute", [lambda f, x: f(x), lambda f, x: f(x, out=torch.empty_like(x))])
def test_a_program_is_not_reused_for_another_function(compute: Any) -> None:
    """As an argument; a module's attribute, such as the activation of a network, is the same to torch."""
    compiled, x = torch.compile(compute, backend="eager"), torch.randn(5)
    for function in (gs.sigmoid, gs.tanh, gs.sigmoid.grad, gs.tanh.grad):
        torch.testing.assert_close(compiled(function, x), function(x), rtol=0, atol=0)


def test_a_program_is_not_reused_for_another_packed_function() -> None:
    compiled, x = torch.compile(lambda f, x: f.packed(x), backend="eager"), torch.randn(6)
    for function in (gs.glu, gs.swiglu):
        torch.testing.assert_close(compiled(function, x), function.packed(x), rtol=0, atol=0)


@torch._dynamo.config.patch(error_on_recompile=True)
def test_what_is_compiled_for_any_size_is_compiled_once() -> None:
    torch._dynamo.reset()
    gs.sigmoid(X)
    compiled = torch.compile(
        gs.bce_with_logits.value_and_grad, fullgraph=True, backend="aot_eager", dynamic=True
    )
    for rows in (3, 5, 9):
        x, t = torch.rand(rows, 4), torch.rand(rows, 4)
        assert torch.equal(compiled(x, t)[1], gs.bce_with_logits.grad(x, t))


@torch._dynamo.config.patch(error_on_recompile=True)
@pytest.mark.parametrize("shape", [(5,), (1, 5), ()])
def test_operands_of_other_ranks_are_compiled_once(shape: tuple) -> None:
    def loss(x: Any, t: Any) -> Any:
        value = gs.bce_with_logits(x, t)
        by_both = torch.autograd.grad(value.sum(), (x, t))
        return value, *by_both

    torch._dynamo.reset()
    gs.sigmoid(X)
    t = torch.linspace(0, 1, 5)[0].clone() if shape == () else torch.linspace(0, 1, 5).reshape(shape)
    forward = torch.compile(gs.bce_with_logits, fullgraph=True, backend="aot_eager", dynamic=True)
    # one of as many rows as the other operand has columns
    for rows in (4, 6, 5, 7):
        x, leaf = torch.rand(rows, 5).requires_grad_(), t.clone().requires_grad_()
        value, by_x, by_t = loss(x, leaf)
        compiled = forward(x, leaf)
        assert torch.equal(compiled, value)
        found = torch.autograd.grad(compiled.sum(), (x, leaf))
        torch.testing.assert_close(found, (by_x, by_t))


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("shapes", [((4, 5), (5,)), ((5,), (4, 5)), ((4, 6, 5), (6, 5)), ((4, 1), (1, 5))])
def test_operands_that_broadcast_are_exported_for_any_batch(shapes: Any, strict: bool) -> None:
    class Loss(torch.nn.Module):
        def forward(self, x: Any, t: Any) -> Any:
            return gs.bce_with_logits(x, t)

    batch = torch.export.Dim("batch", min=2)
    dynamic = tuple({0: batch} if shape[0] == 4 else {} for shape in shapes)
    exported = torch.export.export(
        Loss(), tuple(torch.rand(shape) for shape in shapes), dynamic_shapes=dynamic, strict=strict
    )
    x, t = [torch.rand(9, *shape[1:]) if shape[0] == 4 else torch.rand(shape) for shape in shapes]
    assert torch.equal(exported.module()(x, t), gs.bce_with_logits(x, t))


@pytest.mark.parametrize("strict", [False, True])
def test_modules_are_exported(module: Any, strict: bool) -> None:
    batch = torch.export.Dim("batch", min=2)
    shapes = tuple({0: batch} for _ in given(module))
    exported = torch.export.export(module, given(module), dynamic_shapes=shapes, strict=strict)
    assert torch.equal(exported.module()(*given(module)), module(*given(module)))
    more = tuple(t.repeat(3, 1) for t in given(module))
    torch.testing.assert_close(exported.module()(*[t.clone() for t in more]), module(*more))


LOADED = """
import sys
import gpu_sigmoid.torch
import torch

program = torch.export.load(sys.argv[1])
print(program.module()(torch.linspace(-3, 3, 12).reshape(4, 3)).sum().item())
"""


def test_an_exported_program_runs_in_another_process(tmp_path: Any) -> None:
    model = torch.nn.Sequential(nn.SiLU(), nn.Sigmoid())
    torch.export.save(torch.export.export(model, (X,)).run_decompositions(), tmp_path / "model.pt2")
    assert float(in_a_process_of_its_own(LOADED, str(tmp_path / "model.pt2"))) == model(X).sum().item()


def test_modules_are_traced(module: Any) -> None:
    symbolic = torch.fx.symbolic_trace(module)
    assert torch.equal(symbolic(*given(module)), module(*given(module)))
    assert torch.equal(pickle.loads(pickle.dumps(symbolic))(*given(module)), module(*given(module)))
    traced = torch.jit.trace(module, given(module))
    assert torch.equal(traced(*given(module)), module(*given(module)))


def test_modules_are_traced_with_gradients(module: Any) -> None:
    def program(scale: Any, *inputs: Any) -> Any:
        return module(inputs[0] * scale, *inputs[1:])

    scale = torch.tensor(2.0, requires_grad=True)
    traced = torch.jit.trace(program, (scale, *given(module)))
    results = [f(scale, *given(module)) for f in (traced, program)]
    assert torch.equal(*results)
    assert torch.equal(*[torch.autograd.grad(result.sum(), scale)[0] for result in results])


def test_functions_are_traced() -> None:
    def program(x: Any) -> Any:
        s, ds = gs.sigmoid.value_and_grad(x)
        return gs.bce_with_logits(s, 0.5) + ds

    symbolic = torch.fx.symbolic_trace(program)
    targets = [node.target for node in symbolic.graph.nodes if node.op == "call_function"]
    assert targets[0] is call_by_name
    # integers and numbers are still converted
    assert torch.equal(pickle.loads(pickle.dumps(symbolic))(torch.arange(3)), program(torch.arange(3)))
    assert "gpu_sigmoid.sigmoid_value" in torch.fx.experimental.proxy_tensor.make_fx(gs.sigmoid)(X).code


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_modules_go_to_onnx_as_its_own_operators(module: Any, dynamo: bool) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    if dynamo:
        pytest.importorskip("onnxscript")
    file = io.BytesIO()
    if dynamo:
        torch.onnx.export(module, given(module), dynamo=True, verbose=False).save(file)
    else:
        torch.onnx.export(module, given(module), file, dynamo=False)
    session = runtime.InferenceSession(file.getvalue())
    names = [entry.name for entry in session.get_inputs()]
    (result,) = session.run(None, dict(zip(names, [t.numpy() for t in given(module)], strict=True)))
    torch.testing.assert_close(
        torch.from_numpy(result).reshape(module(*given(module)).shape), module(*given(module))
    )
