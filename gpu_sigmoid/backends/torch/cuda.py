"""Computing on tensors in a GPU's memory, by the kernels of CuPy arrays, on torch's current stream."""

from typing import Any

import torch
from torch import Tensor

from gpu_sigmoid.environment import require_gpu


def compute(method: Any, tensors: tuple[Tensor, ...], results: tuple[Tensor, ...]) -> None:
    """Compute results, nothing recorded for gradients."""
    require_gpu(method)
    import cupy

    from gpu_sigmoid.backends.cupy import run

    device = results[0].device
    stream = torch.cuda.current_stream(device)
    with cupy.cuda.Device(device.index), cupy.cuda.Stream.from_external(Exported(stream)):
        inputs = tuple(as_cupy(t) for t in tensors)
        outs = tuple(as_cupy(r) for r in results)
        run(method, inputs, outs if len(outs) > 1 else outs[0])


class Exported:
    """A stream of torch's for other libraries; torch's own offer themselves only from 2.10 on."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __cuda_stream__(self) -> tuple[int, int]:
        return 0, self.stream.cuda_stream


def as_cupy(tensor: Tensor) -> Any:
    """Return a CuPy array on a tensor's memory."""
    import cupy

    plain = tensor.detach()
    if plain.dtype != torch.bfloat16:
        return cupy.from_dlpack(plain)
    import ml_dtypes

    return cupy.from_dlpack(plain.view(torch.int16)).view(ml_dtypes.bfloat16)
