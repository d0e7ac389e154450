"""The target of `numba.vectorize` that makes the host's ufuncs: `numba.vectorize([...], target=TARGET)`.

Numba's own targets make ufuncs with one output, without 16-bit floats, around Numba's loop. This one
builds a kernel around the scalar function (`groups`), and passes the loop that calls it (`loop`) to the
constructor of ufuncs that Numba's targets use too.
"""

from types import FunctionType
from typing import Any

import numpy as np
from numba import types
from numba.core.ccallback import CFunc
from numba.np.numpy_support import as_dtype
from numba.np.ufunc import _internal  # type: ignore[attr-defined]
from numba.np.ufunc.decorators import Vectorize

from gpu_sigmoid.backends.cpu import intrinsics
from gpu_sigmoid.backends.cpu.addresses import LOOPS, WORK
from gpu_sigmoid.backends.cpu.caches import last_cache
from gpu_sigmoid.backends.cpu.groups import GROUP_INTRINSICS, kernel_source
from gpu_sigmoid.backends.cpu.loop import MOST_OPERANDS
from gpu_sigmoid.backends.cpu.native import compiled_kernel, inner_loop, jitted

TARGET = "gpu_sigmoid"

# NumPy has no bfloat16, so a ufunc takes the bits.
ELEMENT = {
    "float16": types.float16,
    "bfloat16": types.uint16,
    "float32": types.float32,
    "float64": types.float64,
}
DTYPE = {element: name for name, element in ELEMENT.items()}


class UFuncBuilder:
    """Makes the ufunc of a scalar function for one signature, with the interface of `numba.vectorize`.

    The signature has the types of the arrays' elements, with `uint16` for bfloat16 and a tuple for several
    results. For 16-bit elements the scalar function takes and returns float32. The option `number` names
    the operand that is usually a single number, `operations` says how many the scalar function consists of.
    """

    def __init__(self, scalar: FunctionType, identity: Any, cache: bool, targetoptions: dict) -> None:
        if identity is not None or targetoptions.keys() - {"number", "operations"}:
            raise TypeError(f"vectorize: target {TARGET} takes only the options cache, number and operations")
        self.scalar, self.cache, self.number = scalar, cache, targetoptions.get("number")
        self.operations = targetoptions.get("operations", 0)

    def add(self, signature: Any) -> None:
        result = signature.return_type
        self.outputs = result.count if isinstance(result, types.UniTuple) else 1
        self.inputs = len(signature.args)
        self.element = signature.args[0]
        dtype = DTYPE[self.element]
        scope = {
            "scalar": jitted(self.scalar, forceinline=True),
            "load": intrinsics.load(dtype),
            "store": intrinsics.store(dtype),
            **{name: getattr(intrinsics, name) for name in GROUP_INTRINSICS},
        }
        size = as_dtype(self.element).itemsize
        source = kernel_source(self.inputs, self.outputs, size, self.number)
        pointee = np.dtype("uint16") if size == 2 else as_dtype(self.element)
        self.kernel = compiled_kernel(source, scope, self.scalar.__qualname__, pointee, cache=self.cache)

    def disable_compile(self) -> None:
        """Do nothing, since no signature is added at a call."""

    def build_ufunc(self) -> np.ufunc:
        dtype = as_dtype(self.element)
        work = self.operations * max(dtype.itemsize, 4)
        return ufunc(self.scalar.__name__, self.kernel, dtype, self.inputs, self.outputs, work)


Vectorize.target_registry[TARGET] = UFuncBuilder


def ufunc(
    name: str,
    kernel: CFunc,
    dtype: np.dtype,
    inputs: int,
    outputs: int,
    work: int,
    table: np.ndarray | None = None,
) -> np.ufunc:
    """Return the ufunc of a kernel over operands of `dtype`; the kernel gets `table`.

    `work` is what `WORK` says of it.
    """
    loop = inner_loop(dtype.itemsize)
    operands = inputs + outputs
    assert operands <= MOST_OPERANDS
    # in the form that `loop` reads
    record = np.array(
        [kernel.address, inputs, operands, 0 if table is None else table.ctypes.data, last_cache()]
    )
    made: np.ufunc = _internal.fromfunc(
        name,
        "",
        [loop.address],
        [[dtype.num] * operands],
        inputs,
        outputs,
        [record.ctypes.data],
        (loop, kernel, table, record),
        _internal.PyUFunc_None,
    )
    LOOPS[made], WORK[made] = (loop.address, record.ctypes.data), work
    return made
