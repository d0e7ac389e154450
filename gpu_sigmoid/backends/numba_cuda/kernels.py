"""The grid-stride loop around a formula's program: source text for numba-cuda."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gpu_sigmoid.dtypes import numpy_dtype
from gpu_sigmoid.environment import installed
from gpu_sigmoid.lowering import Program, lower_for

THREADS = 256
MOST_BLOCKS = 1 << 16

TEMPLATE = """
def kernel({parameters}):
    for i in range(cuda.grid(1), n, cuda.gridsize(1)):
        {unravel}
        {results} = scalar({loads})
        {stores}
"""


@cache
def numba_cuda() -> Any:
    """Return `numba.cuda` if it is numba-cuda's.

    Raises
    ------
    ImportError
        If it is not. The message says what to install.
    """
    try:
        from numba import cuda

        found = getattr(cuda, "implementation", "Built-in")
    except ImportError as error:
        found = str(error)
    if found != "NVIDIA":
        raise ImportError(
            f'Numba device arrays need numba-cuda: pip install "gpu-sigmoid[numba-cuda]"; there is: {found}'
        )
    return cuda


# a kernel is compiled once per program: equal arguments give the same kernel
program = cache(lower_for)


@cache
def compiled(device: int, program: Program, dtype: str, kinds: tuple[str, ...], dimensions: int) -> Any:
    """Return the current device's kernel for operands of `kinds` (dtypes, or "number") in so many loops.

    Raises
    ------
    ImportError
        If the versions of numba-cuda and NumPy are incompatible.
    """
    from numba import types

    number = getattr(types, program.format.name)
    arrays = sum(kind != "number" for kind in kinds) + len(program.outputs)
    signature = [types.int64] * (1 + dimensions)
    signature += [number if kind == "number" else types.int64 for kind in kinds]
    signature += [types.int64] * (len(program.outputs) + arrays * dimensions)
    try:
        return numba_cuda().jit(python_kernel(program, dtype, kinds, dimensions)).compile(tuple(signature))
    except AttributeError as error:
        raise ImportError(
            f"numba-cuda {installed('numba-cuda')} does not work with NumPy {np.__version__} "
            f'({error}): pip install "gpu-sigmoid[numba-cuda]" brings versions that do'
        ) from error


def python_kernel(program: Program, dtype: str, kinds: tuple[str, ...], dimensions: int) -> Callable:
    """Return the kernel, not yet compiled."""
    source = kernel_source(kinds, dtype, len(program.outputs), dimensions)
    namespace = {"cuda": numba_cuda(), **scope(program, dtype, kinds)}
    exec(compile(source, __file__, "exec"), namespace)
    kernel: Any = namespace["kernel"]
    kernel.__name__ = kernel.__qualname__ = f"{program.name}_{dtype}"
    return kernel


def scope(program: Program, dtype: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Return the names a kernel's source refers to."""
    from gpu_sigmoid.backends.numba_cuda import intrinsics

    loads = {f"load_{kind}": intrinsics.load(kind, program.format) for kind in kinds if kind != "number"}
    return {**loads, "store": intrinsics.store(dtype), "scalar": intrinsics.scalar(program)}


def kernel_source(kinds: tuple[str, ...], dtype: str, outputs: int, dimensions: int) -> str:
    """Return the source of `kernel(n, extents..., operands..., results..., steps...)`.

    Arrays are passed as addresses, so that one compilation serves all arrays of a layout. `load_DTYPE`,
    `store`, `scalar` and `cuda` must be in scope.
    """
    extents = [f"extent{d}" for d in range(dimensions)]
    operands = [f"x{k}" for k in range(len(kinds))]
    results = [f"z{o}" for o in range(outputs)]
    arrays = [*((x, k) for x, k in zip(operands, kinds, strict=True) if k != "number")]
    arrays += [(z, dtype) for z in results]
    steps = [f"{name}_step{d}" for name, _ in arrays for d in range(dimensions)]

    def offset(name: str, kind: str) -> str:
        if dimensions == 0:
            return f"i * {numpy_dtype(kind).itemsize}"
        return " + ".join(f"i{d} * {name}_step{d}" for d in range(dimensions))

    unravel = ["rest = i"]
    for d in reversed(range(1, dimensions)):
        unravel.append(f"i{d} = rest % extent{d}; rest = rest // extent{d}")
    unravel.append("i0 = rest")
    loads = [
        x if kind == "number" else f"load_{kind}({x}, {offset(x, kind)})"
        for x, kind in zip(operands, kinds, strict=True)
    ]
    return TEMPLATE.format(
        parameters=", ".join(["n", *extents, *operands, *results, *steps]),
        unravel="\n        ".join(unravel) if dimensions else "pass",
        results=", ".join(f"y{o}" for o in range(outputs)),
        loads=", ".join(loads),
        stores="; ".join(f"store({z}, {offset(z, dtype)}, y{o})" for o, z in enumerate(results)),
    )
