"""GLU and SwiGLU: modules in the place of torch's, on the halves of an axis."""

from typing import Any

import pytest
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from gpu_sigmoid.torch import nn  # noqa: E402

functional = torch.nn.functional

MODULES = {
    nn.GLU: lambda x, dim: functional.glu(x, dim),
    nn.SwiGLU: lambda x, dim: (lambda a, b: functional.silu(a) * b)(*x.chunk(2, dim)),
}


@pytest.mark.parametrize("dim", [-1, 0, 1])
@pytest.mark.parametrize("module", MODULES)
def test_values_and_gradients_are_torchs(module: Any, dim: int) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 6, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    ours, theirs = module(dim)(x), MODULES[module](x, dim)
    torch.testing.assert_close(ours, theirs)
    g = torch.randn_like(ours)
    torch.testing.assert_close(torch.autograd.grad(ours, x, g), torch.autograd.grad(theirs, x, g))
    small = x[:2, :2, :2].detach().requires_grad_()
    assert torch.autograd.gradcheck(module(dim), (small,), check_forward_ad=True)
    assert torch.autograd.gradgradcheck(module(dim), (small,))
    compiled = torch.compile(module(dim), fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), ours)


@pytest.mark.parametrize("module", MODULES)
def test_errors_are_torchs(module: Any) -> None:
    for shape, dim in (((4, 3), -1), ((), -1), ((4, 4), 2)):
        with pytest.raises((RuntimeError, IndexError)) as theirs:
            functional.glu(torch.zeros(shape), dim)
        with pytest.raises(theirs.type) as ours:
            module(dim)(torch.zeros(shape))
        assert str(ours.value) == str(theirs.value)


def test_signatures_and_names() -> None:
    assert isinstance(nn.GLU(), torch.nn.GLU) and nn.GLU(1).dim == 1
    assert repr(nn.SwiGLU(0)) == "SwiGLU(dim=0)" and repr(nn.GLU(0)) == repr(torch.nn.GLU(0))
    x = torch.linspace(-9, 9, 12).reshape(2, 6)
    assert torch.equal(nn.SwiGLU()(x), gs.swiglu.packed(x)) and torch.equal(nn.GLU()(x), gs.glu.packed(x))
