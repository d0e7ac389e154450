"""The functions as CUDA C++, for kernels of your own."""

from typing import Any

from gpu_sigmoid.functions import FUNCTIONS, Function
from gpu_sigmoid.lowering import COMPONENTS, lower
from gpu_sigmoid.lowering import cuda_source as printed
from gpu_sigmoid.lowering.constants import FORMATS


def cuda_source(*functions: Any, dtype: str | tuple[str, ...] = ("float32", "float64")) -> str:
    """Return CUDA C++ that defines functions on scalars, with the array kernels' bits.

    Parameters
    ----------
    *functions : function or method
        Such as `gs.sigmoid`, `gs.silu.grad`. Without any, all functions with all methods.
    dtype : str or tuple of str
        "float32" for functions of `float`, "float64" for functions of `double`; several
        are overloads of one name.

    Returns
    -------
    str
        The preamble of a `cupy.ElementwiseKernel`, or the head of a `cupy.RawKernel`'s
        code. In namespace `gpu_sigmoid` it defines `sigmoid_value(x)`, `silu_grad(x)`
        and so on: a function's name and its component's. `..._vjp` takes the cotangent
        last, `..._value_and_grad` two trailing references to what it fills. No compiler
        option, `-ftz=true` included, alters a result. A host compiler takes the text
        too: `g++ -ffp-contract=off`.

    Raises
    ------
    TypeError
        If an argument is neither a function of `gpu_sigmoid.FUNCTIONS` nor its method.
    ValueError
        If a dtype is neither "float32" nor "float64".

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> source = gs.cuda_source(gs.sigmoid, dtype="float32")
    >>> kernel = cupy.ElementwiseKernel(  # doctest: +SKIP
    ...     "float32 x, float32 y", "float32 z",
    ...     "z = y * gpu_sigmoid::sigmoid_value(x)", "gated", preamble=source)
    """
    dtypes = (dtype,) if isinstance(dtype, str) else tuple(dtype)
    for name in dtypes:
        if name not in FORMATS:
            raise ValueError(f"cuda_source: dtype is to be float32, float64 or a tuple of them, not {name!r}")
    pairs = [named(f) for f in functions] or [(f, c) for f in FUNCTIONS.values() for c in COMPONENTS]
    programs = [
        lower(function.formula, component, FORMATS[name])
        for function, component in dict.fromkeys(pairs)
        for name in dict.fromkeys(dtypes)
    ]
    return printed(*programs)


def named(function: Any) -> tuple[Function, str]:
    """Return a function and its component for the function or its bound method."""
    owner = getattr(function, "__self__", function)
    component = function.__name__ if owner is not function else "value"
    if not isinstance(owner, Function) or component not in COMPONENTS:
        raise TypeError(
            f"cuda_source: {function!r} is not a function of gpu_sigmoid or a method such as sigmoid.grad"
        )
    return owner, component
