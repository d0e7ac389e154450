"""The functions as objects: pickled by name, described, refusing a wrong number of operands."""

import inspect
import pickle
from typing import Any

import numpy as np
import pytest
from helpers.methods import operands
from helpers.scalars import scalar_method

import gpu_sigmoid as gs
from gpu_sigmoid.modes import PUBLIC


def test_functions_are_pickled_by_name_and_described(function: Any) -> None:
    assert pickle.loads(pickle.dumps(function)) is function
    for name in PUBLIC:
        assert pickle.loads(pickle.dumps(function.methods[name])) == function.methods[name]
    # a place that other versions know
    assert b"gpu_sigmoid.functions" in pickle.dumps(function)
    assert "out" in inspect.signature(function).parameters
    assert (function.__doc__ or "").startswith(function.definition)
    assert gs.sigmoid_prime == gs.sigmoid.grad


@pytest.mark.parametrize("name", PUBLIC)
def test_operands_of_scalars_are_counted(function: Any, name: str) -> None:
    of_scalars = scalar_method(function, name)
    scalars = [a[0] for a in operands(function, name, np.linspace(0.1, 0.9, 5))]
    of_scalars(*scalars)
    for wrong in ((), scalars[:-1]):
        with pytest.raises(TypeError, match=r"takes|missing"):
            of_scalars(*wrong)
    names = function.methods[name].operands
    text = rf"{name if name != 'value' else function.__name__}> takes {len(names)} operands? "
    with pytest.raises(TypeError, match=rf"{text}\({', '.join(names)}\), by position, not {len(names) + 1}$"):
        of_scalars(*scalars, scalars[0])


@pytest.mark.parametrize("name", ["grad", "grad2", "vjp"])
def test_a_methods_docstring_has_the_limits_of_its_function(function: Any, name: str) -> None:
    if function.label != function.name:
        pytest.skip("it is described where its keyword is")
    assert function.limits in getattr(function, name).__doc__
    if function.parametrised is not None:
        assert function.parametrised.limits in getattr(function, name).__doc__
