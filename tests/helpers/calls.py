"""Calls whose results are checked: type, dtype, shape, memory order, and bits, which are the CPU's."""

from typing import Any

import numpy as np

from gpu_sigmoid.device_check.subject import difference
from helpers.backends import Backend
from helpers.floats import BFLOAT16, DTYPES
from helpers.methods import as_tuple


def sample(method: Any, dtype: Any, count: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return an array for each operand of a method, with numbers for which results differ."""
    rng = np.random.default_rng(seed)
    intervals = {"x": method.function.domain, "target": (0.0, 1.0)}
    arrays = []
    for name in method.operands:
        low, high = intervals.get(name, (-np.inf, np.inf))
        wide = rng.normal(scale=4, size=count)
        if np.isfinite((low, high)).all():
            wide = rng.uniform(low, high, count)
        elif np.isfinite((low, high)).any():
            wide = np.copysign(wide, -1 if high == 0 else 1)
        arrays.append(wide.astype(dtype))
    return tuple(arrays)


def common_dtype(operands: tuple) -> np.dtype:
    """Return the dtype of the results by NumPy's rules, with those of float16 for bfloat16.

    Raises
    ------
    TypeError
        If there is none, as for float16 with bfloat16.
    """
    dtypes = [o.dtype for o in operands if hasattr(o, "dtype")]
    if not dtypes:
        return np.dtype(np.float64)
    if BFLOAT16 in dtypes and np.float16 not in dtypes:
        common = np.result_type(*(np.float16 if d == BFLOAT16 else d for d in dtypes))
        common = BFLOAT16 if common == np.float16 else common
    else:
        common = np.result_type(*dtypes)
    if common.kind in "biu":
        return np.dtype(np.float64)
    common = common.newbyteorder("=") if common != BFLOAT16 else common
    if common not in DTYPES.values():
        raise TypeError(f"{common} is not accepted")
    return common


def expected(method: Any, *operands: Any) -> tuple[np.ndarray, ...]:
    """Return the results from plain contiguous copies on the CPU."""
    dtype = common_dtype(operands)
    # NumPy warns of a number beyond the dtype's range, and of a signalling nan
    with np.errstate(over="ignore", invalid="ignore"):
        converted = [np.asarray(o).astype(dtype) for o in operands]
    plain = np.broadcast_arrays(*converted)
    flat = [np.array(p, order="C").reshape(-1) for p in plain]
    return tuple(r.reshape(plain[0].shape) for r in as_tuple(method(*flat)))


def bits(x: Any) -> bytes:
    """Return the bits of x in the order of its elements, with all nans alike."""
    x = np.array(x, order="C")
    # bfloat16's comparison warns of a signalling nan
    with np.errstate(invalid="ignore"):
        return np.where(x != x, x.dtype.type(np.nan), x).tobytes()


def same_bits(got: Any, want: Any) -> bool:
    """Return whether results, one or several, have the dtypes and bits of others, with all nans alike."""
    pairs = zip(as_tuple(got), as_tuple(want), strict=True)
    return all(g.dtype == w.dtype and bits(g) == bits(w) for g, w in pairs)


def steps(strides: tuple[int, ...], shape: tuple[int, ...]) -> list[int]:
    """Return the strides that matter: those of axes with several elements."""
    return [s for s, n in zip(strides, shape, strict=True) if n > 1 and 0 not in shape]


def allocated(operands: list[np.ndarray], dtype: np.dtype) -> np.ndarray:
    """Return a new array for results of operands, in the memory order of NumPy's ufuncs."""
    kinds: Any = [["readonly"]] * len(operands) + [["writeonly", "allocate"]]
    dtypes = [None] * len(operands) + [dtype]
    return np.nditer((*operands, None), ["zerosize_ok"], kinds, dtypes).operands[-1]


def order(operands: tuple, like: np.ndarray) -> list[int] | None:
    """Return the strides of new results, by the operands of their shape; None if these differ in order."""
    arrays = [o for o in operands if isinstance(o, np.ndarray)]
    whole = [[o] for o in arrays if o.shape == like.shape] or [arrays]
    first, *more = (steps(allocated(o, like.dtype).strides, like.shape) for o in whole)
    return first if all(o == first for o in more) else None


def assert_results(backend: Backend, got: Any, want: tuple[np.ndarray, ...], operands: tuple = ()) -> None:
    """Assert that the results are right. Given NumPy operands, new results must follow their memory order."""
    assert isinstance(got, tuple) == (len(want) > 1)
    for y, w in zip(as_tuple(got), want, strict=True):
        # like NumPy's own functions, ours return scalars if no operand has a dimension
        assert type(y) is backend.array_type or (backend.name == "cpu" and type(y) is w.dtype.type)
        assert (y.dtype, y.shape) == (w.dtype, w.shape)
        if operands and (wanted := order(operands, w)) is not None:
            assert steps(y.strides, y.shape) == wanted
        failure = difference(backend.to_host(y), np.asarray(w), np.asarray(w))
        assert failure is None, failure


def laid(backend: Backend, operand: Any) -> Any:
    """Return a backend's array with the layout of a NumPy array; a number is returned unchanged."""
    return backend.lay(operand)[0] if isinstance(operand, np.ndarray) else operand


def computed(backend: Backend, method: Any, *hosts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a method's results on a backend, whose type they must have, as NumPy arrays."""
    results = as_tuple(method(*map(backend.to_device, hosts)))
    assert all(type(y) is backend.array_type for y in results)
    return tuple(map(backend.to_host, results))


def checked(backend: Backend, method: Any, *operands: Any) -> Any:
    """Return a method's results on numbers and on arrays with the layout of NumPy's, after checking them."""
    arrays = [laid(backend, o) for o in operands]
    with np.errstate(all="raise"):
        got = method(*arrays)
    assert_results(backend, got, expected(method, *operands), operands)
    for array, operand in zip(arrays, operands, strict=True):
        if isinstance(operand, np.ndarray):
            assert backend.to_host(array).tobytes() == operand.tobytes()
    return got


def checked_into(backend: Backend, method: Any, operands: tuple, outs: tuple) -> None:
    """Call a method with `out=`, arrays of the backend or Nones; assert that the results are right."""
    want = expected(method, *operands)
    with np.errstate(all="raise"):
        got = method(*(laid(backend, o) for o in operands), out=outs if len(outs) > 1 else outs[0])
    assert all(y is out for y, out in zip(as_tuple(got), outs, strict=True) if out is not None)
    assert_results(backend, got, want)
