"""The dtypes that are accepted, and the one a result has."""

from functools import cache
from typing import Any

import numpy as np

FLOATS = "float16, bfloat16, float32 and float64"
ACCEPTED = f"{FLOATS}, bool and integers (computed in float64)"
ACCEPTED_BY_DEFAULT = f"{FLOATS}, bool and integers (computed in the default dtype)"
"""For libraries with a default dtype, torch and JAX."""
DTYPES = ("float32", "float64", "float16", "bfloat16")
"""Those that results have."""


def result_name(method: Any, operands: tuple) -> str:
    """Return the name of the dtype that `method` gives for operands (arrays and numbers).

    Several dtypes are promoted by NumPy's rules, bfloat16 with integers as float16 is;
    Python numbers take the arrays' dtype.

    Raises
    ------
    TypeError
        If a dtype is not accepted, or the operands have none in common.
    """
    dtypes = [o.dtype for o in operands if hasattr(o, "dtype")]
    common = dtypes[0] if len(operands) == len(dtypes) == 1 else promoted(method, operands, dtypes)
    name = accepted_name(common)
    if name is None:
        raise refusal(method, common)
    return name


def promoted(method: Any, operands: tuple, dtypes: list[np.dtype]) -> np.dtype:
    # of a Python int beyond 64 bits NumPy would make an object
    if not dtypes:
        return np.dtype(np.float64)
    names = [accepted_name(dtype) for dtype in dtypes]
    # in a common dtype the user would not recognise the one that is at fault
    if None in names:
        raise refusal(method, dtypes[names.index(None)])
    try:
        if "bfloat16" not in names or "float16" in names:
            return np.result_type(*dtypes)
        # ml_dtypes has no rule for integers of more than 8 bits
        pairs = list(zip(names, dtypes, strict=True))
        common = np.result_type(*(np.float16 if name == "bfloat16" else dtype for name, dtype in pairs))
        return dict(pairs)["bfloat16"] if common == np.float16 else common
    except TypeError:
        kinds = " and ".join(str(getattr(o, "dtype", type(o).__name__)) for o in operands)
        raise TypeError(f"{method.label}: {kinds} have no common dtype; accepted are {ACCEPTED}") from None


def refusal(method: Any, dtype: Any) -> TypeError:
    """Return the error for a dtype that is not accepted."""
    return TypeError(f"{method.label}: dtype {dtype} is not accepted; accepted are {ACCEPTED}")


@cache
def accepted_name(dtype: Any) -> str | None:
    """Return the name of the results' dtype for operands of `dtype`, None if it is not accepted."""
    if not isinstance(dtype, np.dtype):
        return None
    if dtype.kind in "biu":
        return "float64"
    # the names do not tell the byte order; bfloat16 is the name of ml_dtypes' user-defined type
    return dtype.name if dtype.name in DTYPES else None


def rounded(number: Any, dtype: np.dtype) -> Any:
    """Return a number as a NumPy scalar of a dtype; out of its range it becomes infinity or 0.

    Ints are rounded to float64 first, as for NumPy's ufuncs, and those beyond 64 bits are numbers too.

    Raises
    ------
    OverflowError
        If an int is beyond float64.
    """
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(float(number) if isinstance(number, int) else number).astype(dtype)[()]


def numpy_dtype(name: str) -> np.dtype:
    """Return the dtype of an accepted name; bfloat16 is that of ml_dtypes."""
    if name == "bfloat16":
        try:
            import ml_dtypes
        except ModuleNotFoundError:
            raise ModuleNotFoundError("bfloat16 needs ml_dtypes: pip install ml_dtypes") from None
        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)
