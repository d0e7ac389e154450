"""The host's own time for a call, with launches that do nothing: a Markdown table.

    PYTHONPATH=tests python -m emulated_gpu python -m emulated_gpu.host_time

Below some ten million elements it is what a GPU's user waits for. Each call stands beside a bare
one of the same library: an ElementwiseKernel with the same arguments, a kernel of `cuda.jit`.
Torch without CUDA has no CUDA tensors: its calls are of tensors in the host's memory up to the
launch, which is then one on a GPU's arrays; beside them stand CuPy's bare calls.
"""

import itertools
import warnings
from collections.abc import Callable
from timeit import timeit
from typing import Any

import cupy
import numpy as np
import torch
from helpers.cuda_tensors import CudaTensor, make_current
from numba import cuda

import gpu_sigmoid as gs
from emulated_gpu import launch
from gpu_sigmoid.backends.cupy import elementwise
from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.backends.torch.cuda import OnCuda

SIZE, ROUNDS, CALLS = 1000, 150, 20

Call = Callable[[], Any]


def of_cupy() -> dict[str, tuple[Call, Call]]:
    """Return ours and the bare call, by what is called."""
    x, t, y, z = (cupy.full(SIZE, 0.5, np.float32) for _ in range(4))
    half, short = x[::2], y[: SIZE // 2]
    bare, of_two, of_both = (
        elementwise.kernel(method.formula, method.mode, "float32")
        for method in (gs.sigmoid, gs.bce_with_logits, gs.sigmoid.value_and_grad)
    )
    return {
        "`sigmoid(x, out=y)`": (lambda: gs.sigmoid(x, out=y), lambda: bare(x, y)),
        "`sigmoid(x)`": (lambda: gs.sigmoid(x), lambda: bare(x)),
        "`bce_with_logits(x, t, out=y)`": (lambda: gs.bce_with_logits(x, t, out=y), lambda: of_two(x, t, y)),
        "`bce_with_logits(x, 0.5, out=y)`": (
            lambda: gs.bce_with_logits(x, 0.5, out=y),
            lambda: of_two(x, 0.5, y),
        ),
        "`sigmoid.value_and_grad(x, out=(y, z))`": (
            lambda: gs.sigmoid.value_and_grad(x, out=(y, z)),
            lambda: of_both(x, y, z),
        ),
        "`sigmoid.value_and_grad(x)`": (lambda: gs.sigmoid.value_and_grad(x), lambda: of_both(x)),
        "`sigmoid(x[::2], out=y)`": (lambda: gs.sigmoid(half, out=short), lambda: bare(half, short)),
    }


def of_numba() -> dict[str, tuple[Call, Call]]:
    """Return ours and the bare call on Numba device arrays."""
    x, t, y = (cuda.to_device(np.full(SIZE, 0.5, np.float32)) for _ in range(3))

    @cuda.jit
    def one(x, y):  # type: ignore[no-untyped-def]
        y[cuda.grid(1)] = x[cuda.grid(1)]

    @cuda.jit
    def two(x, t, y):  # type: ignore[no-untyped-def]
        y[cuda.grid(1)] = x[cuda.grid(1)] + t[cuda.grid(1)]

    return {
        "`sigmoid(x, out=y)`, Numba's arrays": (lambda: gs.sigmoid(x, out=y), lambda: one[4, 250](x, y)),
        "`bce_with_logits(x, t, out=y)`, Numba's arrays": (
            lambda: gs.bce_with_logits(x, t, out=y),
            lambda: two[4, 250](x, t, y),
        ),
    }


def of_torch() -> dict[str, tuple[Call, Call]]:
    """Return ours on torch's tensors, and CuPy's bare call."""
    arrays = [cupy.full(SIZE, 0.5, np.float32) for _ in range(4)]
    x, t, y, z = arrays
    tensors = [torch.full((SIZE,), 0.5) for _ in range(4)]
    place = {id(tensor): CudaTensor(array) for tensor, array in zip(tensors, arrays, strict=True)}
    one, number = torch.tensor(1.0).expand(SIZE), cupy.ones((), np.float32)
    place[id(one)] = CudaTensor(cupy.broadcast_to(number, SIZE))

    class Launched(OnCuda):
        def into(self, tensors: Any, results: Any) -> None:
            super().into(*(tuple([place[id(t)] for t in given]) for given in (tensors, results)))

    make_current(cupy.cuda.Stream(non_blocking=True))
    direct.computations = lambda method: dict.fromkeys(("CPU", "CUDA"), Launched(method))
    direct.install()
    a, b, c, d = tensors
    bare, of_two, of_both, of_vjp = (
        elementwise.kernel(method.formula, method.mode, "float32")
        for method in (gs.sigmoid, gs.bce_with_logits, gs.sigmoid.value_and_grad, gs.sigmoid.vjp)
    )
    return {
        "`sigmoid(x, out=y)`, torch's tensors": (lambda: gs.sigmoid(a, out=c), lambda: bare(x, y)),
        "`bce_with_logits(x, t, out=y)`, torch's tensors": (
            lambda: gs.bce_with_logits(a, b, out=c),
            lambda: of_two(x, t, y),
        ),
        "`sigmoid.value_and_grad(x, out=(y, z))`, torch's tensors": (
            lambda: gs.sigmoid.value_and_grad(a, out=(c, d)),
            lambda: of_both(x, y, z),
        ),
        "`sigmoid.vjp(x, one, out=y)`, torch's tensors": (
            lambda: gs.sigmoid.vjp(a, one, out=c),
            lambda: of_vjp(x, number, y),
        ),
    }


def microseconds(calls: tuple[Call, Call]) -> list[float]:
    """Return the least time of each of two calls, in turns: what was disturbed does not count."""
    rounds = [[timeit(call, number=CALLS) for call in calls] for _ in range(ROUNDS)]
    return [min(times) / CALLS * 1e6 for times in zip(*rounds, strict=True)]


def main() -> None:
    warnings.simplefilter("ignore")  # Numba's, of bare kernels that are small
    cases = {**of_cupy(), **of_numba(), **of_torch()}
    for call in itertools.chain(*cases.values()):
        call()  # compiles
    cupy.cuda.Device().synchronize()
    launch.launch = lambda *_: None
    print("| call | us | bare, us | ratio |\n|---|---:|---:|---:|")
    for name, calls in cases.items():
        ours, bare = microseconds(calls)
        print(f"| {name} | {ours:.2f} | {bare:.2f} | {ours / bare:.2f} |")


if __name__ == "__main__":
    main()
