"""What is measured: by default our kernels."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpu_sigmoid.machine import ON_CPU
from gpu_sigmoid.registry import FUNCTIONS

Compute = Callable[..., Any]


def ours(name: str, mode: str, dtype: str) -> Compute:
    return FUNCTIONS[name].methods[mode]


@dataclass(frozen=True)
class Subject:
    """A library under test."""

    name: str
    compute: Callable[[str, str, str], Compute | None]
    """Gives what computes a (function, mode, dtype) of arrays, None where the library has
    nothing for it. It is pickled for the processes that measure."""
    distributions: tuple[str, ...]
    """Those whose versions a row of figures names."""
    within: float = math.inf
    """The largest abs(x) that is measured."""


OURS = Subject("gpu_sigmoid", ours, ON_CPU)
