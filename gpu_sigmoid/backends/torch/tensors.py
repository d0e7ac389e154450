"""Computing on the memory of tensors, host or CUDA, without a copy."""

from functools import reduce
from typing import Any

import numpy as np
import torch

from gpu_sigmoid.backends import cpu
from gpu_sigmoid.backends.cpu.threads import run_split
from gpu_sigmoid.backends.placed import Placed
from gpu_sigmoid.dtypes import ACCEPTED
from gpu_sigmoid.environment import require_gpu
from gpu_sigmoid.outputs import refuse_shared_memory

NAMES = {
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.float64: "float64",
}


def promoted(method: Any, operands: tuple) -> tuple[torch.Tensor, ...]:
    """Return the operands as tensors of one dtype, by torch's rules, and one device.

    Integers become torch's default dtype, as torch users expect.
    """
    tensors = [o for o in operands if isinstance(o, torch.Tensor)]
    for tensor in tensors:
        if tensor.layout != torch.strided:
            raise TypeError(f"{method.label}: {tensor.layout} tensors are not served: use to_dense()")
    devices = list(dict.fromkeys(t.device for t in tensors if t.ndim or len(tensors) == 1))
    if len(devices) > 1:
        names = " and ".join(map(str, devices))
        raise TypeError(f"{method.label}: tensors on {names}: move them to one device first")
    device = devices[0] if devices else tensors[0].device
    dtype = common_dtype(tensors)
    if dtype not in NAMES:
        raise TypeError(f"{method.label}: dtype {dtype} is not accepted; accepted are {ACCEPTED}")
    return tuple(torch.as_tensor(o, dtype=dtype, device=device) for o in operands)


def common_dtype(tensors: list[torch.Tensor]) -> torch.dtype:
    """Return the dtype by torch's rules: one of no dimension counts only if the others are integers."""
    with_axes = [t.dtype for t in tensors if t.ndim]
    without = [t.dtype for t in tensors if not t.ndim]
    dtype = reduce(torch.promote_types, with_axes or without)
    if is_inexact(dtype):
        return dtype
    inexact = [d for d in without if is_inexact(d)]
    return reduce(torch.promote_types, inexact) if inexact else torch.get_default_dtype()


def is_inexact(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def results_like(tensors: tuple[torch.Tensor, ...], count: int) -> list[torch.Tensor]:
    """Return new tensors for results, in the order of memory of an operand of their shape."""
    shape = torch.broadcast_shapes(*(t.shape for t in tensors))
    like = next((t for t in tensors if t.shape == shape), None)
    if like is None:
        return [tensors[0].new_empty(shape) for _ in range(count)]
    return [torch.empty_like(like, requires_grad=False) for _ in range(count)]


def compute(method: Any, tensors: tuple[torch.Tensor, ...]) -> Any:
    """Return the results as new tensors, nothing recorded for gradients."""
    count = len(method.mode.partials)
    results = results_like(tensors, count)
    fill(method, tensors, results)
    return tuple(results) if count > 1 else results[0]


def compute_into(method: Any, tensors: tuple[torch.Tensor, ...], out: Any) -> Any:
    """Write the results to `out` and return it."""
    count = len(method.mode.partials)
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != count or not all(isinstance(o, torch.Tensor) for o in outs):
        expected = "a tensor" if count == 1 else f"a tuple of {count} tensors"
        raise TypeError(f"{method.label}: out is to be {expected}")
    shape = torch.broadcast_shapes(*(t.shape for t in tensors))
    for target in outs:
        found, wanted = (target.dtype, target.device), (tensors[0].dtype, tensors[0].device)
        if found != wanted:
            raise TypeError(f"{method.label}: out is of {found}, the result of {wanted}")
        if target.shape != shape:
            raise ValueError(
                f"{method.label}: out has shape {tuple(target.shape)}, the result has {tuple(shape)}"
            )
    refuse_shared_memory(method, [placed(target) for target in outs])
    fill(method, tensors, list(outs))
    return out


def placed(tensor: torch.Tensor) -> Placed:
    size = tensor.element_size()
    strides = tuple(size * stride for stride in tensor.stride())
    return Placed(tensor.data_ptr(), tuple(tensor.shape), strides, np.dtype(f"V{size}"))


def fill(method: Any, tensors: tuple[torch.Tensor, ...], results: list[torch.Tensor]) -> None:
    device = results[0].device
    if device.type == "cpu":
        on_host(method, tensors, results)
    elif device.type == "cuda":
        on_cuda(method, tensors, results)
    else:
        raise TypeError(f"{method.label}: tensors on {device} are not served: move them to cpu or cuda first")


def on_host(method: Any, tensors: tuple[torch.Tensor, ...], results: list[torch.Tensor]) -> None:
    name = NAMES[tensors[0].dtype]
    kernel = cpu.kernel(method.formula, method.mode, name)
    inputs = tuple(as_numpy(t) for t in tensors)
    outs = tuple(as_numpy(r) for r in results)
    run_split(kernel, outs[0].dtype, inputs, outs)


def as_numpy(tensor: torch.Tensor) -> np.ndarray:
    """Return an array on a tensor's memory; NumPy has no bfloat16, its kernels take the bits."""
    plain = tensor.detach().resolve_neg()
    return plain.view(torch.uint16).numpy() if plain.dtype == torch.bfloat16 else plain.numpy()


def on_cuda(method: Any, tensors: tuple[torch.Tensor, ...], results: list[torch.Tensor]) -> None:
    """Compute by CuPy, on torch's current stream."""
    require_gpu(method)
    import cupy

    from gpu_sigmoid.backends.cupy import run

    device = results[0].device
    stream = torch.cuda.current_stream(device)
    with cupy.cuda.Device(device.index), cupy.cuda.ExternalStream(stream.cuda_stream):
        inputs = tuple(as_cupy(t) for t in tensors)
        outs = tuple(as_cupy(r) for r in results)
        run(method, inputs, outs if len(outs) > 1 else outs[0])


def as_cupy(tensor: torch.Tensor) -> Any:
    """Return a CuPy array on a tensor's memory."""
    import cupy

    plain = tensor.detach().resolve_neg()
    if plain.dtype != torch.bfloat16:
        return cupy.from_dlpack(plain)
    import ml_dtypes

    return cupy.from_dlpack(plain.view(torch.int16)).view(ml_dtypes.bfloat16)
