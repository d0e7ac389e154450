"""Which backend a call goes to, and the rules for its dtypes and `out=`.

Types are told apart by what they are, never by importing a library to ask it.
"""

import array
from functools import cache
from typing import Any, NoReturn

import numpy as np

ACCEPTED = "float16, bfloat16, float32 and float64, bool and integers (computed in float64)"
NATIVE = {np.dtype(name): name for name in ("float16", "float32", "float64")}


def call(function: Any, component: str, operands: tuple, out: Any) -> Any:
    """Compute `component` of `function` on the operands' backend."""
    arrays = tuple(o if isinstance(o, np.ndarray) else host_operand(function, o) for o in operands)
    dtype = (
        arrays[0].dtype
        if len(arrays) == 1 and isinstance(arrays[0], np.ndarray)
        else promoted(function, arrays)
    )
    name = NATIVE.get(dtype) or dtype_name(function, dtype)
    from gpu_sigmoid.backends import cpu

    return cpu.run(function, component, name, arrays, out)


def host_operand(function: Any, operand: Any) -> Any:
    """Return a NumPy array, a number (which takes the others' dtype) or an array that
    brings its own `__array_ufunc__`."""
    if isinstance(operand, np.generic | int | float):
        return operand
    if isinstance(operand, list | tuple | range | array.array | memoryview):
        return np.asarray(operand)
    if getattr(operand, "__array_ufunc__", None) is not None and hasattr(operand, "dtype"):
        return operand
    refuse_type(function, operand)


def refuse_type(function: Any, operand: Any) -> NoReturn:
    kind = type(operand)
    raise TypeError(
        f"{function.__name__} takes a number, a sequence of numbers or a NumPy array, "
        f"not {kind.__module__}.{kind.__qualname__}"
    )


def promoted(function: Any, operands: tuple) -> np.dtype:
    """Return the operands' common dtype by NumPy's promotion rules."""
    typed = [o.dtype for o in operands if hasattr(o, "dtype")]
    try:
        common = np.result_type(*typed) if typed else None
        # ml_dtypes does not let a Python number take bfloat16, as it takes the other dtypes
        if common is not None and common.name == "bfloat16":
            return common
        return np.result_type(*(getattr(o, "dtype", o) for o in operands))
    except TypeError:
        dtypes = " and ".join(str(getattr(o, "dtype", type(o).__name__)) for o in operands)
        raise TypeError(
            f"{function.__name__}: {dtypes} have no common dtype; accepted are {ACCEPTED}"
        ) from None


def dtype_name(function: Any, dtype: np.dtype) -> str:
    name = known_dtype(dtype)
    if name is None:
        raise TypeError(f"{function.__name__}: dtype {dtype} is not accepted; accepted are {ACCEPTED}")
    return name


@cache
def known_dtype(dtype: np.dtype) -> str | None:
    """Return the dtype that results have for operands of `dtype`, None where refused."""
    if dtype.kind in "biu":
        return "float64"
    # ml_dtypes registers bfloat16 as a user-defined type, which has this name
    name = "bfloat16" if dtype.name == "bfloat16" else dtype.newbyteorder("=").name
    return name if name in ("bfloat16", *NATIVE.values()) else None
