"""What is timed on the GPU: our ways to compute, a copy, and peers of other libraries."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from gpu_sigmoid.bench import peers
from gpu_sigmoid.bench.cases import Case
from gpu_sigmoid.bench.clock import Call
from gpu_sigmoid.functions import FUNCTIONS


@dataclass(frozen=True)
class Contender:
    """A call to time, and how its results get to the host, None where they are not compared."""

    call: Call
    results: Callable[[], tuple[np.ndarray, ...]] | None = None


Prepare = Callable[[Case, tuple, tuple], Contender | None]


def on_host(outs: tuple) -> tuple[np.ndarray, ...]:
    return tuple(o if isinstance(o, np.ndarray) else o.get() for o in outs)


def ours(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the public function, on CuPy arrays."""
    from gpu_sigmoid.bench.peers.ours import prepare

    return Contender(prepare(case, inputs, outs), partial(on_host, outs))


def elementwise(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the launch that serves any layout, on arrays that would be served packed."""
    from gpu_sigmoid.backends.cupy.elementwise import launch

    formula = FUNCTIONS[case.function].formula
    call = partial(launch, formula, case.component, case.dtype, inputs, outs)
    return Contender(call, partial(on_host, outs))


def packed(case: Case, inputs: tuple, outs: tuple) -> Contender | None:
    """Return the formula's kernel where the public function looks results up."""
    from gpu_sigmoid.backends.cupy import look_up
    from gpu_sigmoid.backends.cupy.packed import launch

    formula = FUNCTIONS[case.function].formula
    if not look_up.serves(formula, case.component, case.dtype, inputs):
        return None
    call = partial(launch, formula, case.component, case.dtype, inputs, outs)
    return Contender(call, partial(on_host, outs))


def bare_kernel(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the ElementwiseKernel itself, called as one's own would be."""
    from gpu_sigmoid.backends.cupy.elementwise import bits, kernel

    compiled = kernel(FUNCTIONS[case.function].formula, case.component, case.dtype)
    return Contender(partial(compiled, *map(bits, (*inputs, *outs))), partial(on_host, outs))


def numba(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the public function, on Numba device arrays of their own memory."""
    from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda

    to_device = numba_cuda().to_device
    held = tuple(map(to_device, on_host(outs)))
    contender = ours(case, tuple(map(to_device, on_host(inputs))), held)
    return Contender(contender.call, lambda: tuple(o.copy_to_host() for o in held))


def peer(module: str, needs: str, case: Case, inputs: tuple, outs: tuple) -> Contender | None:
    prepare = peers.load(module, case.threads)
    if prepare is None:
        raise ImportError(f"{needs} is not installed")
    call = prepare(case, inputs, outs)
    return None if call is None else Contender(call)


OURS, COPY = "gpu_sigmoid", "copy"
OWN: dict[str, Prepare] = {OURS: ours, "packed": packed, "ElementwiseKernel": elementwise, "Numba": numba}
PEERS: dict[str, Prepare] = {
    COPY: partial(peer, "copy", "CuPy"),
    "torch": partial(peer, "torch", "torch"),
    "Triton": partial(peer, "triton", "triton, or torch,"),
    "cupyx expit": partial(peer, "cupy", "CuPy"),
}
OF_LAUNCH: dict[str, Prepare] = {OURS: ours, "ElementwiseKernel": bare_kernel}
