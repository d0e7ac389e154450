"""The tensors of a call: operands of one dtype and device, and places for results."""

from collections.abc import Iterable
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gpu_sigmoid.backends.outputs import refuse_shared_memory, shape_mismatch
from gpu_sigmoid.backends.placed import Placed
from gpu_sigmoid.dtypes import ACCEPTED_BY_DEFAULT, accepted_name
from gpu_sigmoid.kinds import name_of

NAMES = {
    torch.float16: "float16",
    torch.bfloat16: "bfloat16",
    torch.float32: "float32",
    torch.float64: "float64",
}
"""The supported dtypes."""

TAKEN = (Tensor, int, float, np.generic, torch.SymInt, torch.SymFloat, torch.SymBool)
"""Tensors and numbers, and the numbers that torch's tracers have instead."""


def promoted(method: Any, operands: tuple) -> tuple[Tensor, ...]:
    """Return the operands as tensors of one dtype, by torch's rules, and one device.

    Integers become torch's default dtype, as torch users expect.
    """
    tensors = [o for o in operands if isinstance(o, Tensor)]
    if len(tensors) < len(operands):
        others = [o for o in operands if not isinstance(o, TAKEN)]
        if others or not tensors:
            wrong = name_of(type((others or operands)[0]))
            raise TypeError(
                f"{method.label}: {wrong} is not accepted; accepted are tensors, and numbers beside them"
            )
    refuse_layouts(method, tensors)
    # check each one, since a tensor without dimensions does not count for the common dtype
    refused = [t.dtype for t in tensors if is_inexact(t.dtype) and t.dtype not in NAMES]
    refused += [o.dtype for o in operands if isinstance(o, np.generic) and accepted_name(o.dtype) is None]
    if refused:
        raise TypeError(
            f"{method.label}: dtype {refused[0]} is not accepted; accepted are {ACCEPTED_BY_DEFAULT}"
        )
    devices = list(dict.fromkeys(t.device for t in tensors if t.ndim or len(tensors) == 1))
    if len(devices) > 1:
        names = " and ".join(map(str, devices))
        raise TypeError(f"{method.label}: tensors on {names}: move them to one device first")
    device = devices[0] if devices else tensors[0].device
    dtype = common_dtype(tensors)
    # calling as_tensor on a tensor that needs nothing would be an operation in exported programs
    return tuple(
        o
        if isinstance(o, Tensor) and o.dtype == dtype and o.device == device
        else torch.as_tensor(o, dtype=dtype, device=device)
        for o in operands
    )


def refuse_layouts(method: Any, tensors: Iterable[Tensor]) -> None:
    """Raise an error unless all elements are in strided memory, as they are."""
    for tensor in tensors:
        if tensor.is_nested:
            kind, instead = "nested", "values()"
        elif tensor.is_quantized:
            kind, instead = str(tensor.dtype), "dequantize()"
        elif tensor.layout != torch.strided:
            kind, instead = str(tensor.layout), "to_dense()"
        else:
            continue
        raise TypeError(f"{method.label}: {kind} tensors are not supported: use {instead}")


def common_dtype(tensors: list[Tensor]) -> torch.dtype:
    """Return the dtype by torch's rules: tensors without dimensions count only beside integers."""
    with_axes = [t.dtype for t in tensors if t.ndim]
    without = [t.dtype for t in tensors if not t.ndim]
    dtype = reduce(torch.promote_types, with_axes or without)
    if is_inexact(dtype):
        return dtype
    inexact = [d for d in without if is_inexact(d)]
    return reduce(torch.promote_types, inexact) if inexact else torch.get_default_dtype()


def is_inexact(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def shape_of(method: Any, tensors: tuple[Tensor, ...]) -> torch.Size:
    """Return the shape that tensors broadcast to.

    Here and elsewhere ranks are compared before shapes: comparing the sizes of different axes would add an
    assumption to programs that are compiled for any size.
    """
    shape = tensors[0].shape
    for tensor in tensors[1:]:
        # checked first, since torch.broadcast_shapes takes longer than a small kernel
        if tensor.ndim != len(shape) or tensor.shape != shape:
            return broadcast(method, [t.shape for t in tensors])
    return shape


def broadcast(method: Any, shapes: list[torch.Size]) -> torch.Size:
    # a program that is compiled or exported has torch's own error
    if torch.compiler.is_compiling():
        return torch.broadcast_shapes(*shapes)
    try:
        return torch.broadcast_shapes(*shapes)
    except RuntimeError as error:
        # a signal handler may raise the same class, and sizes that are not known yet a class below it
        if type(error) is not RuntimeError or "broadcast" not in str(error):
            raise
        raise RuntimeError(shape_mismatch(method, map(tuple, shapes))) from None


def results_like(method: Any, tensors: tuple[Tensor, ...], count: int) -> tuple[Tensor, ...]:
    """Return new tensors for results, in the memory order of an operand of their shape."""
    shape = shape_of(method, tensors)
    for tensor in tensors:
        if tensor.ndim == len(shape) and tensor.shape == shape:
            return tuple([torch.empty_like(tensor) for _ in range(count)])
    return tuple([tensors[0].new_empty(shape) for _ in range(count)])


def outs_of(method: Any, out: Any) -> tuple[Tensor, ...]:
    """Return `out` as a tuple with one tensor for each result."""
    count = len(method.mode.partials)
    outs = out if isinstance(out, tuple) else (out,)
    if len(outs) != count or not all(isinstance(o, Tensor) for o in outs):
        expected = "a tensor" if count == 1 else f"a tuple of {count} tensors"
        raise TypeError(f"{method.label}: out must be {expected}")
    refuse_layouts(method, outs)
    return outs


def check_outs(method: Any, tensors: tuple[Tensor, ...], outs: tuple[Tensor, ...]) -> None:
    """Raise an error if `outs` have the wrong dtype, device or shape for the results."""
    shape, first = shape_of(method, tensors), tensors[0]
    for target in outs:
        if target.dtype != first.dtype or target.device != first.device:
            found, wanted = (target.dtype, target.device), (first.dtype, first.device)
            raise TypeError(f"{method.label}: out is {found}, the result is {wanted}")
        if target.ndim != len(shape) or target.shape != shape:
            raise ValueError(
                f"{method.label}: out has shape {tuple(target.shape)}, the result has {tuple(shape)}"
            )


def check_memory(method: Any, outs: tuple[Tensor, ...]) -> None:
    """Raise an error if a result would overwrite itself or another one of the same size."""
    contiguous = True
    for target in outs:
        if not target.is_contiguous():
            contiguous = False
            if torch._debug_has_internal_overlap(target) == 1:
                raise RuntimeError(
                    f"{method.label}: more than one element of out refers to a single memory location: "
                    "clone() it first"
                )
    if len(outs) > 1:
        addresses = sorted([target.data_ptr() for target in outs])
        least = min([b - a for a, b in pairwise(addresses)])
        # looking at each element would take longer than a small kernel
        if not contiguous or least < outs[0].nbytes:
            refuse_shared_memory(method, [placed(target) for target in outs])


def placed(tensor: Tensor) -> Placed:
    size = tensor.element_size()
    strides = tuple(size * stride for stride in tensor.stride())
    return Placed(tensor.data_ptr(), tuple(tensor.shape), strides, np.dtype(f"V{size}"))
