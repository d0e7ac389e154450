"""Other libraries' arrays in GPU memory, as CuPy arrays, without a copy.

CuPy's own import of `__cuda_array_interface__` waits on the host for the exporter's stream, which a
graph capture does not allow. Here the current stream waits, on the GPU.
"""

from collections.abc import Callable
from typing import Any

import cupy
import numpy as np
from cupy.cuda import runtime

from gpu_sigmoid.backends.placed import refuse_byte_order
from gpu_sigmoid.dtypes import numpy_dtype

# the legacy default stream, which CuPy calls 0
LEGACY = 1


def adopted(method: Any, operand: Any) -> Any:
    """Return an array on a GPU as a CuPy array, and any other operand unchanged.

    Raises
    ------
    TypeError
        For masked arrays, and elements of another byte order or without a type.
    ValueError
        If the stream is 0.
    RuntimeError
        If the current stream captures a graph that the exporter's stream is not part of, since
        a graph cannot wait for anything outside it.
    """
    if isinstance(operand, cupy.ndarray | np.generic | int | float):
        return operand
    if hasattr(operand, "__cuda_array_interface__"):
        return from_interface(f"{method.label}: {type(operand).__name__}", operand)
    # DLPack orders the streams itself
    return cupy.from_dlpack(operand)


def from_interface(name: str, owner: Any) -> Any:
    """Return the array that an object offers; `name` is for error messages."""
    interface = owner.__cuda_array_interface__
    try:
        mask, strides = interface.get("mask"), interface.get("strides")
        (pointer, _), shape = interface["data"], tuple(interface["shape"])
        plain = np.dtype(interface["typestr"])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name}'s __cuda_array_interface__ is invalid: {type(error).__name__}: {error}"
        ) from None
    if mask is not None:
        raise TypeError(f"{name}: masked arrays are not accepted")
    dtype = dtype_of(name, owner, plain)
    if not pointer:
        if 0 in shape:
            return cupy.empty(shape, dtype)
        raise ValueError(f"{name}: an array of shape {shape} has the address 0")
    memory = cupy.cuda.UnownedMemory(pointer, 0, owner)
    if memory.device_id < 0:
        raise ValueError(f"{name}: {pointer:#x} is not an address in GPU memory")
    with memory.device:
        stream = interface.get("stream")
        if stream is not None:
            if stream == 0:
                raise ValueError(
                    f"{name}: stream 0 is ambiguous: give 1 for the default stream, 2 for the thread's"
                )
            if not isinstance(stream, int):
                raise TypeError(f"{name}: a stream is an integer, not {type(stream).__name__}")
            order(name, stream, current_stream())
        return cupy.ndarray(shape, dtype, cupy.cuda.MemoryPointer(memory, 0), strides)


def is_foreign(out: Any) -> bool:
    """Return whether an output is another library's array, or a tuple that contains one."""
    outs = out if isinstance(out, tuple) else (out,)
    return any(hasattr(o, "__cuda_array_interface__") and not isinstance(o, cupy.ndarray) for o in outs)


def run_into(run: Callable[..., Any], method: Any, operands: tuple, out: Any) -> Any:
    """Compute into other libraries' arrays, and let their streams wait for the results."""
    outs = out if isinstance(out, tuple) else (out,)
    for array in filter(is_foreign, outs):
        if array.__cuda_array_interface__["data"][1]:
            raise ValueError(f"{method.label}: out is read-only")
    targets: Any = tuple(o if o is None else adopted(method, o) for o in outs)
    results = run(method, operands, targets if isinstance(out, tuple) else targets[0])
    for array, target in zip(outs, targets, strict=True):
        stream = array.__cuda_array_interface__.get("stream") if is_foreign(array) else None
        if stream is not None:
            with target.device:
                order(f"{method.label}: {type(array).__name__}", current_stream(), stream)
    if not isinstance(out, tuple):
        return out
    return tuple(r if o is None else o for o, r in zip(outs, results, strict=True))


def dtype_of(name: str, owner: Any, dtype: np.dtype) -> np.dtype:
    """Return the dtype of an offered array; bfloat16 is offered as 2 bytes of unknown type."""
    refuse_byte_order(name, dtype)
    if dtype.kind != "V":
        return dtype
    if dtype.itemsize == 2 and "bfloat16" in str(getattr(owner, "dtype", None)):
        return numpy_dtype("bfloat16")
    raise TypeError(
        f"{name}: the elements have no type ({dtype.str}): bfloat16 is accepted if the array's dtype says so"
    )


def current_stream() -> int:
    return cupy.cuda.get_current_stream().ptr or LEGACY


def order(name: str, first: int, then: int) -> None:
    """Let a stream wait, on the GPU, for the work given to another one so far."""
    if first == then:
        return
    if captures(first) != captures(then):
        raise RuntimeError(
            f"{name}: either its stream or the current one captures a graph that the other is not part "
            "of, so they cannot wait for each other: call cupy.asarray(array) before the capture"
        )
    event = cupy.cuda.Event(disable_timing=True)
    runtime.eventRecord(event.ptr, first)
    runtime.streamWaitEvent(then, event.ptr)


def captures(stream: int) -> bool:
    # the legacy default stream cannot capture, and asking it is an error while another stream does
    return stream != LEGACY and bool(runtime.streamIsCapturing(stream))
