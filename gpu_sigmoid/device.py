"""The functions on scalars, for kernels of your own that Numba compiles.

Every function of `gpu_sigmoid.FUNCTIONS` is here under its name (`expit` and `log_expit` too), with its
`grad`, `grad2`, `value_and_grad` and `vjp`. Call it inside `numba.njit`, `numba.vectorize` or
`numba.cuda.jit`: it is compiled into the caller and gives the array kernels' bits,
whatever the caller's `fastmath` says::

    import numba
    import gpu_sigmoid as gs

    @numba.njit
    def loss(logits, labels):
        total = 0.0
        for i in range(len(logits)):
            total += gs.device.bce_with_logits(logits[i], labels[i])
        return total

    @numba.vectorize
    def gate(x, y):
        return gs.device.sigmoid(x) * y

and on the GPU, with numba-cuda::

    from numba import cuda

    @cuda.jit
    def update(weights, logits, gradient):
        i = cuda.grid(1)
        if i < weights.size:
            weights[i] -= gs.device.silu.vjp(logits[i], gradient[i])

A parameter is passed by keyword, as for arrays: `gs.device.softplus(x, beta=b)`. The functions may
also be passed to a function that `numba.njit` compiles, as arguments or in tuples. Several results are
one flat tuple: `value, by_a, by_b = gs.device.swiglu.value_and_grad(a, b)`.

The result has the largest of the arguments' types; bool and integers count as float64. For Numba a
literal such as `1.0` is a float64: write `numba.float32(1.0)` if the other arguments are float32.
float16 works only on the GPU, since Numba does not have it on the CPU. A wrong number or type of
operands is a `numba.TypingError` when the caller is compiled.
"""

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

from gpu_sigmoid import registry
from gpu_sigmoid.functions import NAMED
from gpu_sigmoid.methods import Function, Method
from gpu_sigmoid.modes import PUBLIC

__all__ = [*NAMED]

NOTES = """{summary}

On scalars, inside functions that Numba compiles.

Parameters
----------
{parameters} : scalar
    float32, float64 or, on the GPU, float16; bool and integers count as float64.

Returns
-------
{returns}
    Of the largest of the operands' types.

Raises
------
numba.TypingError
    For another number of operands, and for other types, while the caller is compiled.
TypeError
    For these when Python calls it.
"""


class DeviceFunction:
    """A function on scalars, or a method of one; Python may call it too.

    `grad`, `grad2`, `value_and_grad` and `vjp` are the methods of a function.
    """

    grad: "DeviceFunction"
    grad2: "DeviceFunction"
    value_and_grad: "DeviceFunction"
    vjp: "DeviceFunction"

    def __init__(self, method: Method) -> None:
        self.method = method
        self.operands = method.operands
        self.__name__, self.__qualname__ = method.__name__, method.__qualname__
        self.__signature__ = scalar_signature(method)
        self.__doc__ = NOTES.format(
            summary=(method.__doc__ or "").partition("\n")[0],
            parameters=", ".join(self.__signature__.parameters),
            returns="tuple of scalars" if len(method.mode.partials) > 1 else "scalar",
        )
        if isinstance(method, Function):
            for name in PUBLIC[1:]:
                setattr(self, name, DeviceFunction(method.methods[name]))

    def __call__(self, *operands: Any, **parameters: Any) -> Any:
        if len(operands) != len(self.operands):
            raise TypeError(self.refusal(len(operands)))
        if parameters.keys() - {self.method.parameter}:
            raise TypeError(self.unknown(parameters))
        for operand in (*operands, *parameters.values()):
            if np.ndim(operand):
                raise TypeError(
                    f"{self!r} takes numbers, not {type(operand).__name__}: "
                    f"gpu_sigmoid.{self.method.label} takes arrays"
                )
        return self.method(*operands, **parameters)

    def refusal(self, given: int) -> str:
        """Return the message for a call with the wrong number of operands."""
        return self.method.refusal(given).replace(self.method.label, repr(self), 1)

    def unknown(self, keywords: Iterable[str]) -> str:
        """Return the message for a call with unknown keywords."""
        parameter = self.method.parameter
        wrong = next(name for name in keywords if name != parameter)
        accepted = f"only {parameter}" if parameter else "none"
        return f"{self!r} got an unexpected keyword argument {wrong!r}: it accepts {accepted}"

    @property
    def _numba_type_(self) -> Any:
        """Numba reads this attribute to find the type of a value."""
        from gpu_sigmoid.backends.numba_functions import type_of

        return type_of(self)

    def __repr__(self) -> str:
        return f"<gpu_sigmoid.device.{self.method.name}>"

    def __reduce__(self) -> tuple:
        return find, (self.method.name,)


def scalar_signature(method: Method) -> inspect.Signature:
    """Return the method's signature without `out`."""
    parameters = [p for p in inspect.signature(method).parameters.values() if p.name != "out"]
    return inspect.Signature(parameters)


_functions = {name: DeviceFunction(function) for name, function in registry.FUNCTIONS.items()}


def find(label: str) -> DeviceFunction:
    """Return the function or method with a label such as `sigmoid` or `sigmoid.grad`."""
    name, _, method = label.partition(".")
    return getattr(_functions[name], method) if method else _functions[name]


def __getattr__(name: str) -> DeviceFunction:
    if name not in NAMED:
        raise AttributeError(f"gpu_sigmoid.device has no function {name!r}: {', '.join(NAMED)}")
    return _functions[NAMED[name].name]


def __dir__() -> list[str]:
    return sorted([*globals(), *NAMED])
