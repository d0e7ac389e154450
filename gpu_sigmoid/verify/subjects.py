"""The libraries that can be measured; by default our kernels."""

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
    """Returns the function that computes a (function, mode, dtype) of arrays, or None if the library has
    none. It is pickled for the measuring processes."""
    distributions: tuple[str, ...]
    """The distributions whose versions a row of figures names."""
    within: float = math.inf
    """The largest abs(x) that is measured."""


OURS = Subject("gpu_sigmoid", ours, ON_CPU)
