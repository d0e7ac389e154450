"""The functions on scalars, for kernels of your own that Numba compiles.

Every function of `gpu_sigmoid.FUNCTIONS` is here under its name, with its `grad`,
`grad2`, `value_and_grad` and `vjp`. Call it inside `numba.njit`, `numba.vectorize` or
`numba.cuda.jit`: it is compiled into the caller and gives the array kernels' bits,
whatever the caller's `fastmath` says.

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

and on the GPU, with numba-cuda:

    from numba import cuda

    @cuda.jit
    def update(weights, logits, gradient):
        i = cuda.grid(1)
        if i < weights.size:
            weights[i] -= gs.device.silu.vjp(logits[i], gradient[i])

The arguments' types decide: all float32, and everything is computed and returned in
float32; else in float64, which bool and integers count as. To Numba a literal such as
`1.0` is a float64: write `numba.float32(1.0)` beside float32 arguments.
"""

import inspect
from typing import Any

from gpu_sigmoid.components import method
from gpu_sigmoid.dispatch import call
from gpu_sigmoid.functions import FUNCTIONS, Function

__all__ = [*FUNCTIONS]


class DeviceFunction:
    """A component of a function, on scalars; Python may call it too.

    `grad`, `grad2`, `value_and_grad` and `vjp` are the other components.
    """

    grad: "DeviceFunction"
    grad2: "DeviceFunction"
    value_and_grad: "DeviceFunction"
    vjp: "DeviceFunction"

    def __init__(self, function: Function, component: str = "value") -> None:
        self.function, self.component = function, component
        parameters = inspect.signature(method(function, component)).parameters.values()
        self.operands = tuple(p.name for p in parameters if p.kind is p.POSITIONAL_ONLY)
        self.__doc__ = function.__doc__
        if component == "value":
            for name in ("grad", "grad2", "value_and_grad", "vjp"):
                setattr(self, name, DeviceFunction(function, name))

    def __call__(self, *operands: Any) -> Any:
        # a ufunc would take one too many for its output
        if len(operands) != len(self.operands):
            raise TypeError(self.refusal(len(operands)))
        return call(self.function, self.component, operands, None)

    def refusal(self, given: int) -> str:
        """Return what is wrong with a call of so many operands."""
        wanted, names = len(self.operands), ", ".join(self.operands)
        return f"{self!r} takes {wanted} operand{'s' * (wanted > 1)} ({names}), by position, not {given}"

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks a value for to learn its type."""
        from gpu_sigmoid.backends.numba_functions import type_of

        return type_of(self)

    def __repr__(self) -> str:
        suffix = "" if self.component == "value" else f".{self.component}"
        return f"<gpu_sigmoid.device.{self.function.__name__}{suffix}>"

    def __reduce__(self) -> tuple:
        return find, (self.function.__name__, self.component)


_functions = {name: DeviceFunction(function) for name, function in FUNCTIONS.items()}


def find(name: str, component: str) -> DeviceFunction:
    """Return a component of the function of that name."""
    return _functions[name] if component == "value" else getattr(_functions[name], component)


def __getattr__(name: str) -> DeviceFunction:
    try:
        return _functions[name]
    except KeyError:
        raise AttributeError(f"gpu_sigmoid.device has no function {name!r}: {', '.join(FUNCTIONS)}") from None


def __dir__() -> list[str]:
    return sorted([*globals(), *FUNCTIONS])
