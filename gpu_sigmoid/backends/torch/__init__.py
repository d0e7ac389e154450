"""PyTorch tensors: operators of its own library, with derivatives of every order we offer.

- `direct`: calls that torch's dispatcher has nothing to do for, which `dispatch` finds by the type
- `operators`: the methods as operators, and what torch's dispatcher has for them
- `derivatives`: their gradients and tangents
- `batches`: their operands under torch.vmap
- `halves`: two operands in one tensor
- `operands`: what tensors they take, of one dtype, and what they may write to
- `computation`: computing on tensors' memory, in the host's (`host`) or in a GPU's (`cuda`)
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import Proxy

from gpu_sigmoid.backends.torch import direct
from gpu_sigmoid.backends.torch.halves import fills as fills
from gpu_sigmoid.backends.torch.halves import of_halves as of_halves
from gpu_sigmoid.backends.torch.operators import dispatched
from gpu_sigmoid.registry import FUNCTIONS


def run(method: Any, operands: tuple, out: Any) -> Any:
    """Compute on tensors of one device; gradients flow to all of them."""
    # a program that is being compiled would find, when it is done, that what it rests on has changed
    if not torch.compiler.is_compiling() and Tensor not in method.ready:
        direct.install()
    for operand in operands:
        if isinstance(operand, Proxy):
            names = method.function.name, method.mode.name
            options = {} if out is None else {"out": out}
            return operand.tracer.create_proxy("call_function", call_by_name, (*names, *operands), options)
    return dispatched(method, operands, out)


def call_by_name(function: str, mode: str, *operands: Any, out: Any = None) -> Any:
    """Call a mode of a function: what torch.fx records, whose graphs name a module's functions alone."""
    return FUNCTIONS[function].methods[mode](*operands, out=out)
