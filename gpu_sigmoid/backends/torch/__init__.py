"""PyTorch tensors: operators of its own library, with derivatives of every order we offer.

- `direct`: calls that torch's dispatcher has nothing to do for, which `dispatch` finds by the type
- `operators`: the methods as operators, and what torch's dispatcher has for them
- `derivatives`: their gradients and tangents
- `batches`: their operands under torch.vmap
- `operands`: what tensors they take, of one dtype, and what they may write to
- `host`, `cuda`: computing on a tensor's memory, where it lies
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy

from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.backends.torch.operands import outs_of, promoted
from gpu_sigmoid.backends.torch.operators import OPERATORS, OUT_OPERATORS, out_names


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on tensors of one device; gradients flow to all of them."""
    if Tensor not in method.ready and not torch.compiler.is_compiling():
        direct.install()
    for operand in operands:
        if isinstance(operand, Proxy):
            # recorded as it stands
            return operand.tracer.create_proxy("call_function", method, operands, {"out": out} if out else {})
    tensors = promoted(method, operands)
    if out is None:
        return OPERATORS[method](*tensors)
    outs = outs_of(method, out)
    OUT_OPERATORS[method](*tensors, **dict(zip(out_names(method), outs, strict=True)))
    return out
