"""PyTorch tensors: operators registered with torch, with derivatives of both orders.

- `direct`: calls that do not need torch's dispatcher; methods find them by the tensor's type
- `operators`: the methods as operators, and their entries in torch's dispatcher
- `derivatives`: their gradients and tangents
- `batches`: their operands under torch.vmap
- `halves`: two operands in one tensor
- `operands`: the accepted operands, of one dtype, and outputs
- `computation`: computing on tensors' memory, on the host (`host`; `prepared` keeps layouts) or on a GPU
  (`cuda`)
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy

from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.backends.torch.halves import fills as fills
from gpu_sigmoid.backends.torch.halves import of_halves as of_halves
from gpu_sigmoid.backends.torch.operands import refuse_layouts as refuse_layouts
from gpu_sigmoid.backends.torch.operators import dispatched
from gpu_sigmoid.registry import FUNCTIONS


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on tensors of one device; gradients flow to all of them."""
    # otherwise a program being compiled would find at the end that its assumptions no longer hold
    if not torch.compiler.is_compiling() and Tensor not in method.ready:
        direct.install()
    for operand in operands:
        if isinstance(operand, Proxy):
            names = method.function.name, method.mode.name
            options = {} if out is None else {"out": out}
            return operand.tracer.create_proxy("call_function", call_by_name, (*names, *operands), options)
    return dispatched(method, operands, out)


def call_by_name(function: str, mode: str, *operands: Any, out: Any = None) -> Any:
    """Call a mode of a function; torch.fx records this, since its graphs only name module functions."""
    return FUNCTIONS[function].methods[mode](*operands, out=out)
