"""Computing a method on tensors' memory, on any device; nothing is recorded for gradients."""

from typing import Any

from torch import Tensor

from gpu_sigmoid.backends.torch.operands import results_like

Tensors = tuple[Tensor, ...]


class Computation:
    """A method's, in one kind of memory."""

    def __init__(self, method: Any) -> None:
        self.method, self.count = method, len(method.mode.partials)

    def new(self, tensors: Tensors) -> Any:
        """Return new results: a tuple if there are several."""
        results = results_like(self.method, tensors, self.count)
        self.into(tensors, results)
        return results if self.count > 1 else results[0]

    def into(self, tensors: Tensors, results: Tensors) -> None:
        """Write to results with the tensors' dtype and their broadcast shape."""
        raise NotImplementedError


def flat(tensors: Tensors, results: Tensors) -> tuple[tuple[bool, ...], list[int]] | None:
    """Return which operands have a step, and the addresses of operands and results.

    These are then single runs of memory; an operand without a step is one number for all elements. None
    if a tensor has another layout, is not at a multiple of its elements' size, or partly overlaps a result.
    """
    size, itemsize = results[0].numel(), results[0].dtype.itemsize
    nbytes, address_bits = size * itemsize, 0
    outs, addresses, stepping = [], [], []
    for result in results:
        if not result.is_contiguous():
            return None
        address = result.data_ptr()
        outs.append(address)
        address_bits |= address
    for tensor in tensors:
        address = tensor.data_ptr()
        addresses.append(address)
        address_bits |= address
        # an operand that broadcasts to a result and has as many elements has them in the same order
        if tensor.numel() == size and tensor.is_contiguous():
            stepping.append(True)
            for out in outs:
                if out != address and -nbytes < out - address < nbytes:
                    return None
        elif tensor.numel() == 1 or not any(tensor.stride()):
            stepping.append(False)
            for out in outs:
                # a number that is read for all elements must not be overwritten by one
                if -itemsize < address - out < nbytes:
                    return None
        else:
            return None
    return None if address_bits % itemsize else (tuple(stepping), addresses + outs)
