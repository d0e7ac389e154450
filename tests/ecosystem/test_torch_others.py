"""Torch's objects that are no tensors."""

from typing import Any

import pytest
from helpers.required import library

import gpu_sigmoid as gs

torch = library("torch")

from torch.fx.experimental.proxy_tensor import make_fx

OTHERS = {
    "module": lambda: torch.nn.Linear(1, 1),
    "parameters": lambda: torch.nn.ParameterList(),
    "dtype": lambda: torch.float32,
    "device": lambda: torch.device("cpu"),
    "layout": lambda: torch.strided,
    "storage": lambda: torch.ones(1).untyped_storage(),
    "distribution": lambda: torch.distributions.Normal(0.0, 1.0),
    "generator": torch.Generator,
    "operator": lambda: torch.ops.aten.sin,
    "class": lambda: torch.Tensor,
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_no_tensor_of_torchs_is_refused(make: Any) -> None:
    other, x = make(), torch.ones(1)
    words = r": .*torch\S* is not accepted; accepted are .*NumPy, CuPy"
    for _ in range(2):
        for call in (lambda: gs.sigmoid.vjp(other, x), lambda: gs.sigmoid.vjp(x, other)):
            with pytest.raises(TypeError, match=rf"^sigmoid\.vjp{words}"):
                call()
        for packed in (gs.glu.packed, gs.glu.packed.value_and_grad):
            with pytest.raises(TypeError, match=rf"^glu\.packed{words}"):
                packed(other)
        gs.sigmoid.vjp(x, x)


def test_one_operand_is_a_tensor() -> None:
    class Module(torch.nn.Module):
        """What torch's functions may take, and as_tensor does not."""

        @classmethod
        def __torch_function__(cls, *given: Any) -> Any:
            raise AssertionError

    x, seen = torch.ones(2), []
    make_fx(lambda x: seen.append(x.shape[0]) or gs.bce_with_logits(x, x.shape[0]), tracing_mode="symbolic")(
        x
    )
    for call in (
        lambda: gs.tanh(Module()),
        lambda: gs.tanh.vjp(x, Module()),
        lambda: gs.tanh(seen[0]),
        lambda: gs.tanh(0.5, out=torch.empty(())),
    ):
        with pytest.raises(TypeError, match=r"^tanh.* is not accepted; accepted are tensors, and numbers"):
            call()
