"""Calls on tensors in the host's memory with the layout of an earlier call, which have new results.

What a call on a layout needs takes longer to work out than torch's own operator on 1,000 elements. So it is
kept: the strides of the results, and a plan that leaves only the addresses open.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from gpu_sigmoid.backends.cpu.jobs import Plan, plan_of
from gpu_sigmoid.backends.cpu.threads import run
from gpu_sigmoid.backends.torch.computation import Tensors


def described(tensors: Tensors, _: Any) -> tuple:
    """Return the layout of operands, whose dtype the first one has."""
    return (tensors[0].dtype, *[part for t in tensors for part in (t.shape, t.stride())])


class Call:
    """A kernel's call on views of tensors: of those given, then of new ones, which take the results.

    `views` holds those of each tensor, in the kernel's order.
    """

    def __init__(self, kernel: np.ufunc, views: Sequence[Tensors], tensors: Tensors, made: Tensors) -> None:
        self.kernel, self.plan = kernel, plan_for(kernel, [view for of_one in views for view in of_one])
        self.places = [
            (i, view.data_ptr() - tensor.data_ptr())
            for i, tensor in enumerate(tensors + made)
            for view in views[i]
        ]
        self.made = [(tuple(tensor.shape), tensor.stride()) for tensor in made]

    def __call__(self, tensors: Tensors, _: Any) -> Any:
        made = [tensors[0].new_empty_strided(*layout) for layout in self.made]
        starts = [tensor.data_ptr() for tensor in (*tensors, *made)]
        job = self.plan.job_apart(self.kernel, [starts[i] + offset for i, offset in self.places])
        if job is None:
            return NotImplemented
        run(self.plan, job, self.kernel)
        return tuple(made) if len(made) > 1 else made[0]


def plan_for(kernel: np.ufunc, tensors: Sequence[Tensor]) -> Plan:
    """Return the plan for calls on tensors with the layout of these."""
    itemsize = tensors[0].dtype.itemsize
    views = [(t.shape, tuple([step * itemsize for step in t.stride()])) for t in tensors]
    return plan_of(itemsize, kernel.nin, tuple(views))
