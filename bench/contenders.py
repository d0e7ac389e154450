"""The contenders on the GPU: our kernels one by one, the copy, and other libraries.

Each is prepared as in `bench.peers`, with results in `outs`.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from bench import ours, peers
from bench.cases import Case
from bench.clock import Call
from bench.measure import BASELINE, OURS
from bench.peers import Prepare


def elementwise(case: Case, inputs: tuple, outs: tuple) -> Call:
    """Return the launch for any layout, on arrays that `packed` would accept."""
    from gpu_sigmoid.backends.cupy.elementwise import launch

    return partial(launch, case.method.formula, case.method.mode, case.dtype, inputs, outs)


def packed(case: Case, inputs: tuple, outs: tuple) -> Call | None:
    """Return the formula's kernel if the public function looks results up."""
    from gpu_sigmoid.backends.cupy import lut
    from gpu_sigmoid.backends.cupy.packed import VECTORS, launch

    formula, mode = case.method.formula, case.method.mode
    if not lut.serves(formula, mode, case.dtype, inputs):
        return None
    return partial(launch, formula, mode, case.dtype, inputs, outs, (VECTORS,) * case.inputs)


def bare_kernel(case: Case, inputs: tuple, outs: tuple) -> Call:
    """Return the ElementwiseKernel itself, called like a user's own."""
    from gpu_sigmoid.backends.cupy.elementwise import bits, kernel

    compiled = kernel(case.method.formula, case.method.mode, case.dtype)
    return partial(compiled, *map(bits, (*inputs, *outs)))


def numba(case: Case, inputs: tuple, outs: tuple) -> Call:
    """Return the public function, on Numba device arrays of the same memory."""
    from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda

    def of_numba(array: Any) -> Any:
        # Numba does not know other libraries' bfloat16
        return numba_cuda().as_cuda_array(array.view(f"u{array.itemsize}")).view(array.dtype)

    separate = replace(case, layout="out")
    return ours.prepare(separate, tuple(map(of_numba, inputs)), tuple(map(of_numba, outs)))


def peer(name: str, case: Case, inputs: tuple, outs: tuple) -> Call | None:
    prepare = peers.load(name, case.threads)
    if prepare is None:
        raise ImportError(f"{name}, or what it needs, is not installed")
    return prepare(case, inputs, outs)


OWN: dict[str, Prepare] = {
    OURS: ours.prepare,
    "packed": packed,
    "ElementwiseKernel": elementwise,
    "Numba": numba,
}
OTHERS: dict[str, Prepare] = {BASELINE: ours.copy, **{name: partial(peer, name) for name in peers.CUDA}}
OF_LAUNCH: dict[str, Prepare] = {OURS: ours.prepare, "ElementwiseKernel": bare_kernel}
