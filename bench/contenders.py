"""What is timed on the GPU: our kernels one by one, the baseline, and peers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench import baseline, peers
from bench.cases import Case
from bench.clock import Call
from bench.measure import BASELINE, OURS
from bench.ours import prepare
from gpu_sigmoid.device_check.libraries import numba_device
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
    return Contender(prepare(case, inputs, outs), partial(on_host, outs))


def elementwise(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the launch that serves any layout, on arrays that would be served packed."""
    from gpu_sigmoid.backends.cupy.elementwise import launch

    method = FUNCTIONS[case.function].methods[case.component]
    call = partial(launch, method.formula, method.mode, case.dtype, inputs, outs)
    return Contender(call, partial(on_host, outs))


def packed(case: Case, inputs: tuple, outs: tuple) -> Contender | None:
    """Return the formula's kernel where the public function looks results up."""
    from gpu_sigmoid.backends.cupy import lut
    from gpu_sigmoid.backends.cupy.packed import launch

    method = FUNCTIONS[case.function].methods[case.component]
    if not lut.serves(method.formula, method.mode, case.dtype, inputs):
        return None
    call = partial(launch, method.formula, method.mode, case.dtype, inputs, outs)
    return Contender(call, partial(on_host, outs))


def bare_kernel(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the ElementwiseKernel itself, called as one's own would be."""
    from gpu_sigmoid.backends.cupy.elementwise import bits, kernel

    method = FUNCTIONS[case.function].methods[case.component]
    compiled = kernel(method.formula, method.mode, case.dtype)
    return Contender(partial(compiled, *map(bits, (*inputs, *outs))), partial(on_host, outs))


def numba(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the public function, on Numba device arrays of their own memory."""
    from gpu_sigmoid.backends.numba_cuda.kernels import numba_cuda

    device = numba_device(numba_cuda())
    held = tuple(map(device.xp.asarray, on_host(outs)))
    contender = ours(case, tuple(map(device.xp.asarray, on_host(inputs))), held)
    return Contender(contender.call, lambda: tuple(map(device.to_host, held)))


def copy(case: Case, inputs: tuple, outs: tuple) -> Contender:
    """Return the copy of one operand that rates are compared with."""
    return Contender(baseline.prepare(case, inputs, outs))


def peer(name: str, case: Case, inputs: tuple, outs: tuple) -> Contender | None:
    prepare_peer = peers.load(name, case.threads)
    if prepare_peer is None:
        raise ImportError(f"{name}, or what it needs, is not installed")
    call = prepare_peer(case, inputs, outs)
    return None if call is None else Contender(call)


OWN: dict[str, Prepare] = {OURS: ours, "packed": packed, "ElementwiseKernel": elementwise, "Numba": numba}
OTHERS: dict[str, Prepare] = {
    BASELINE: copy,
    **{name: partial(peer, name) for name in peers.CUDA},
}
OF_LAUNCH: dict[str, Prepare] = {OURS: ours, "ElementwiseKernel": bare_kernel}
