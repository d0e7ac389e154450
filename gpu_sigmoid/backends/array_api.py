"""Arrays of any other library, through DLPack, without copies.

Results for arrays that follow the array API standard are arrays of their namespace. The standard
has neither a fused multiply-add nor bit patterns, so its operations could not give the same bits;
instead the CPU's kernels compute on the memory. Arrays in GPU memory go to CuPy, together with
CuPy's own arrays and others that it accepts, and the results are CuPy's.
"""

import sys
from typing import Any

import numpy as np

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.outputs import refuse_out
from gpu_sigmoid.dtypes import refusal, result_name
from gpu_sigmoid.environment import refuse_without_gpu

# DLPack's kDLCPU, kDLCUDA and kDLCUDAManaged
HOST, CUDA, MANAGED = 1, 2, 13


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Return arrays of the operands' namespace, of NumPy if there is none, or of CuPy on a GPU."""
    places = {place: o for o in operands if (place := place_of(o))}
    if places and all(kind in (CUDA, MANAGED) for kind, *_ in places):
        return on_cuda(method, operands, out)
    for place, operand in places.items():
        if place[0] != HOST:
            raise TypeError(
                f"{method.label}: {type(operand).__name__} lies on device {place}, which is neither the "
                "host nor, like all other operands, an NVIDIA GPU; nothing is moved implicitly: move it first"
            )
    refuse_out(method, out, "the array API standard has no out")
    home = home_of(method, operands)
    viewed = tuple(view_of(method, o) if hasattr(o, "__dlpack__") else o for o in operands)
    if home is not None and result_name(method, viewed) == "float64" and lacks_float64(*home):
        viewed = tuple(o.astype(np.float32) if isinstance(o, np.ndarray) else o for o in viewed)
    results = cpu.run(method, viewed, None)
    if isinstance(results, tuple):
        return tuple(brought_home(r, home) for r in results)
    return brought_home(results, home)


def home_of(method: Any, operands: tuple) -> tuple[Any, Any] | None:
    """Return the namespace and device of the operands that follow the standard, None if none does."""
    arrays = [o for o in operands if hasattr(o, "__array_namespace__") and not isinstance(o, np.ndarray)]
    homes = list(dict.fromkeys((o.__array_namespace__(), o.device) for o in arrays))
    if len(homes) > 1:
        names = " and ".join(f"{namespace.__name__} on {device}" for namespace, device in homes)
        raise TypeError(f"{method.label}: arrays of {names} cannot be mixed: move them to one place first")
    return homes[0] if homes else None


def view_of(method: Any, operand: Any) -> np.ndarray:
    try:
        # NumPy asks for DLPack's older version, before 2.1 at first and else if the newer one is refused, and
        # pyarrow warns of that. This is the same view, of the same arrays.
        if type(operand).__module__.startswith("pyarrow.") and hasattr(operand, "null_count"):
            return operand.to_numpy(zero_copy_only=True)
        return np.from_dlpack(operand)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        way = way_to_read(method, operand)
        raise TypeError(
            f"{method.label}: {type(operand).__name__} cannot be read without a copy: {error}{way}"
        ) from None


def way_to_read(method: Any, operand: Any) -> str:
    """Return how users can convert an array that cannot be read without a copy.

    Raises
    ------
    TypeError
        If the reason is the type of pyarrow's elements, which are no numbers.
    """
    if type(operand).__module__.startswith("pyarrow."):
        of = sys.modules["pyarrow"].types
        if of.is_boolean(operand.type):
            # with nulls NumPy's array would be one of objects
            array = "array.cast('float64')" if operand.null_count else "array"
            return f"; convert it yourself: {array}.to_numpy(zero_copy_only=False)"
        if not of.is_integer(operand.type) and not of.is_floating(operand.type):
            raise refusal(method, operand.type)
    return "; convert it yourself, for instance with numpy.asarray" if hasattr(operand, "__array__") else ""


def lacks_float64(namespace: Any, device: Any) -> bool:
    """Return whether integers must give float32, where other libraries' give float64."""
    if not hasattr(namespace, "__array_namespace_info__"):
        return not hasattr(namespace, "float64")
    return "float64" not in namespace.__array_namespace_info__().dtypes(device=device, kind="real floating")


def brought_home(result: Any, home: tuple[Any, Any] | None) -> Any:
    """Return a result as an array of the namespace on the device, or as a NumPy array without one."""
    # a ufunc returns a scalar if all operands have no dimension
    result = np.asarray(result)
    if home is None:
        return result
    namespace, device = home
    array = namespace.from_dlpack(result)
    # without the keyword, which the standard has since 2023, wherever the default device is right
    return array if array.device == device else namespace.from_dlpack(result, device=device)


def place_of(operand: Any) -> tuple[int, ...] | None:
    """Return an array's device as DLPack's (kind, number), None for a number."""
    if hasattr(operand, "__dlpack_device__"):
        return tuple(map(int, operand.__dlpack_device__()))
    return (CUDA,) if hasattr(operand, "__cuda_array_interface__") else None


def on_cuda(method: Any, operands: tuple, out: Any) -> Any:
    refuse_without_gpu(method.label)
    from gpu_sigmoid.backends.cupy import run

    return run(method, operands, out)
