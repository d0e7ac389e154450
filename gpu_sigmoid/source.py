"""The functions as CUDA C++, and as CuPy's ufuncs, for kernels of your own."""

from typing import Any

from gpu_sigmoid.functions import FUNCTIONS
from gpu_sigmoid.lowering import cuda_source as printed
from gpu_sigmoid.lowering import lower
from gpu_sigmoid.lowering.constants import FORMATS
from gpu_sigmoid.methods import Method
from gpu_sigmoid.modes import PUBLIC


def cuda_source(*functions: Any, dtype: str | tuple[str, ...] = ("float32", "float64")) -> str:
    """Return CUDA C++ that defines functions on scalars, with the array kernels' bits.

    Parameters
    ----------
    *functions : function or method
        For instance `gs.sigmoid` or `gs.silu.grad`. Default: all functions with all methods.
    dtype : str or tuple of str
        "float32" for functions of `float`, "float64" for functions of `double`; with both,
        they are overloads of one name.

    Returns
    -------
    str
        The preamble of a `cupy.ElementwiseKernel`, or the beginning of a `cupy.RawKernel`'s
        code. It defines `sigmoid_value(x)`, `silu_grad(x)` and so on in namespace
        `gpu_sigmoid`: the name of a function followed by that of the mode. Functions with a
        parameter, such as `silu_beta_grad(x, beta)`, take it after the operands. `..._vjp`
        takes the cotangent after these. A function with several results returns none, and
        takes a reference to a variable for each as its last arguments. The code is C++11. Compiler
        options, `-ftz=true` included, do not change results. A host compiler accepts the code too,
        with `g++ -ffp-contract=off`; with `-ffast-math` it is an error. One source may contain
        several such texts.

    Raises
    ------
    TypeError
        If an argument is neither a function of `gpu_sigmoid.FUNCTIONS` nor its method.
    ValueError
        If `dtype` has none of these, or another.

    Examples
    --------
    >>> import gpu_sigmoid as gs
    >>> source = gs.cuda_source(gs.sigmoid, dtype="float32")
    >>> kernel = cupy.ElementwiseKernel(  # doctest: +SKIP
    ...     "float32 x, float32 y", "float32 z",
    ...     "z = y * gpu_sigmoid::sigmoid_value(x)", "gated", preamble=source)
    """
    dtypes = (dtype,) if isinstance(dtype, str) else dtype
    names = list(FORMATS)
    if not (isinstance(dtypes, tuple | list) and dtypes and all(name in names for name in dtypes)):
        raise ValueError(f"cuda_source: dtype must be float32, float64 or a tuple of them, not {dtype!r}")
    for method in functions:
        refuse_what_is_no_method("cuda_source", method)
    chosen = functions or [f.methods[m] for f in FUNCTIONS.values() for m in PUBLIC]
    methods = [m for method in chosen for m in (method, method.parametrised) if m is not None]
    programs = [
        lower(method.formula, method.mode, FORMATS[name])
        for method in dict.fromkeys(methods)
        for name in dict.fromkeys(dtypes)
    ]
    return printed(*programs)


def cupy_ufunc(function: Any) -> Any:
    """Return a function as a `cupy.ufunc`, for kernels that CuPy compiles from Python.

    Call the ufunc in `cupyx.jit.rawkernel`, which takes ufuncs with one result. For several results, as of
    `value_and_grad`, and for a parameter, such as `beta`, write a `cupy.RawKernel` with `cuda_source`.
    Under `cupy.fuse` call the functions themselves, with any method and parameter.

    Parameters
    ----------
    function : function or method
        For instance `gs.sigmoid` or `gs.silu.grad`.

    Returns
    -------
    cupy.ufunc
        For float16, float32 and float64, with the array kernels' bits; bool and integers are computed in
        float64. Prefer the function itself for whole arrays: its kernels are faster.

    Raises
    ------
    TypeError
        If the argument is neither a function of `gpu_sigmoid.FUNCTIONS` nor its method.
    ImportError
        If CuPy is not installed.

    Examples
    --------
    >>> silu = gs.cupy_ufunc(gs.silu)  # doctest: +SKIP
    >>> @cupyx.jit.rawkernel()  # doctest: +SKIP
    ... def gated(x, y, size):
    ...     i = cupyx.jit.grid(1)
    ...     if i < size:
    ...         y[i] = silu(x[i]) * y[i]
    """
    refuse_what_is_no_method("cupy_ufunc", function)
    from gpu_sigmoid.backends.cupy.fused import ufunc

    return ufunc(function)


def refuse_what_is_no_method(caller: str, method: Any) -> None:
    if not isinstance(method, Method):
        raise TypeError(
            f"{caller}: {method!r} is not a function of gpu_sigmoid or a method such as sigmoid.grad"
        )
