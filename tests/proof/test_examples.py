"""The docstring of every public object has an example, and it runs."""

import doctest
from typing import Any

import pytest
from helpers.required import library

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC


def documented() -> dict[str, Any]:
    """Return the public objects by the names they are called by."""
    named = {name: getattr(gs, name) for name in gs.__all__ if callable(getattr(gs, name))}
    for name, function in gs.FUNCTIONS.items():
        named |= {f"{name}.{method}": getattr(function, method) for method in PUBLIC[1:]}
        if hasattr(function, "packed"):
            packed = function.packed
            named |= {f"{name}.packed": packed, f"{name}.packed.vjp": packed.vjp}
            named[f"{name}.packed.value_and_grad"] = packed.value_and_grad
    return named


def run(text: str, name: str, **imported: Any) -> None:
    test = doctest.DocTestParser().get_doctest(text, imported, name, None, 0)
    assert test.examples, f"the docstring of {name} is to have an example"
    said: list[str] = []
    assert not doctest.DocTestRunner().run(test, out=said.append).failed, "".join(said)


@pytest.mark.parametrize("name", documented())
def test_an_object(name: str) -> None:
    run(documented()[name].__doc__ or "", name)


def test_torch_modules() -> None:
    torch = library("torch")
    from gpu_sigmoid.torch import nn

    for name in nn.__all__:
        run(getattr(nn, name).__doc__ or "", name, torch=torch, nn=nn)
