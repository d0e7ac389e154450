"""Calls that are a single launch: contiguous arrays of one shape and dtype on the current device.

Up to some ten million elements a user waits for the host, not for the GPU. So such a call takes as few
steps as possible, and everything else is prepared once per dtype and device.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from cupy import ndarray
from cupy.cuda.runtime import getDevice, getDeviceCount

from gpu_sigmoid.backends.cupy import lut, packed
from gpu_sigmoid.backends.cupy.packed import VECTOR, before_a_vector
from gpu_sigmoid.dtypes import accepted_name
from gpu_sigmoid.modes import is_tabulable


class Prepared(NamedTuple):
    """A method's kernel of `packed` for a dtype, loaded on a device, and whether `lut` has one too."""

    launch: Any
    elements_a_thread: int
    dtype: str
    tabulable: bool


class Direct:
    """A method on such arrays; calls on others go to `otherwise`."""

    def __init__(self, method: Any, otherwise: Callable[[tuple, Any], Any]) -> None:
        self.otherwise = otherwise
        self.formula, self.mode = method.formula, method.mode
        self.count, self.kinds = len(method.mode.partials), (packed.VECTORS,) * len(method.operands)
        self.several_devices = getDeviceCount() > 1
        self.prepared: dict[Any, Prepared] = {}

    def __call__(self, operands: tuple, out: Any) -> Any:
        first = operands[0]
        dtype, shape, memory = first.dtype, first.shape, first.data
        device, address = memory.device_id, memory.ptr
        prepared = self.prepared.get((dtype, device)) or self.prepare(dtype, device)
        # the public flags take five times as long
        if prepared is None or not first._c_contiguous or (self.several_devices and device != getDevice()):
            return self.otherwise(operands, out)
        if out is None:
            given: tuple = ()
        elif self.count == 1:
            given = (out,)
        elif type(out) is tuple and len(out) == self.count:
            given = out
        else:
            return self.otherwise(operands, out)
        distance, nbytes, addresses = address % VECTOR, first.nbytes, [address]
        for array in operands[1:] + given:
            if type(array) is not ndarray or array.dtype is not dtype or array.shape != shape:
                return self.otherwise(operands, out)
            memory = array.data
            address = memory.ptr
            if memory.device_id != device or address % VECTOR != distance or not array._c_contiguous:
                return self.otherwise(operands, out)
            for other in addresses:
                # partly overlapping operands must be copied, and partly overlapping results refused
                if other != address and -nbytes < other - address < nbytes:
                    return self.otherwise(operands, out)
            addresses.append(address)
        # memory that CuPy allocates begins on a vector's boundary
        if not nbytes or (distance and (not given or distance % dtype.itemsize)):
            return self.otherwise(operands, out)
        if self.count > 1 and len({*addresses[len(operands) :]}) < len(given):
            return self.otherwise(operands, out)
        results = given or tuple([ndarray(shape, dtype) for _ in self.mode.partials])
        if prepared.tabulable and lut.serves(self.formula, self.mode, prepared.dtype, operands):
            lut.launch(self.formula, self.mode, prepared.dtype, operands, results)
        else:
            size = first.size
            before = before_a_vector(size, distance, dtype.itemsize) if distance else 0
            packed.start(prepared.launch, prepared.elements_a_thread, operands + results, size, before)
        return results if self.count > 1 else results[0]

    def prepare(self, dtype: Any, device: int) -> Prepared | None:
        """Return the call for arrays of a dtype on the current device, None if it would have to convert."""
        name = accepted_name(dtype)
        if name is None or name != dtype.name or device != getDevice():
            return None
        kernel, elements_a_thread = packed.kernel(self.formula, self.mode, name, self.kinds)
        tabulable = is_tabulable(self.formula, self.mode, name)
        found = Prepared(kernel.kernel.linear_launch, elements_a_thread, name, tabulable)
        return self.prepared.setdefault((dtype, device), found)
