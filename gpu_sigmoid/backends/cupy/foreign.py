"""Arrays of other libraries in a GPU's memory, as CuPy's, without a copy.

CuPy's own import of `__cuda_array_interface__` waits for the exporter's stream, on the
host, which a graph capture does not allow. Here the current stream waits, on the GPU.
"""

from typing import Any

import cupy
import numpy as np


def adopted(operand: Any) -> Any:
    """Return an operand as a CuPy array if it is an array on a GPU, else as it is."""
    if isinstance(operand, cupy.ndarray | np.generic | int | float):
        return operand
    if hasattr(operand, "__cuda_array_interface__"):
        return from_interface(operand, operand.__cuda_array_interface__)
    # DLPack orders the streams itself
    return cupy.from_dlpack(operand)


def from_interface(owner: Any, interface: dict[str, Any]) -> Any:
    if interface.get("mask") is not None:
        raise TypeError(f"{type(owner).__name__}: masked arrays are not accepted")
    pointer, _read_only = interface["data"]
    shape, dtype = interface["shape"], np.dtype(interface["typestr"])
    strides = interface.get("strides")
    memory = cupy.cuda.UnownedMemory(pointer, 0, owner)
    stream = interface.get("stream")
    if stream is not None:
        exporter = cupy.cuda.ExternalStream(stream)
        cupy.cuda.get_current_stream().wait_event(exporter.record())
    return cupy.ndarray(shape, dtype, cupy.cuda.MemoryPointer(memory, 0), strides)
