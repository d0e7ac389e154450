"""A search for worse operands near the worst of a sample.

Of the combinations of several float32 operands only a sample can be measured. Errors that need an unlucky
rounding in every step are so rare that the largest in a sample of a billion is half a unit too small. Near
operands whose error is large already, they are less rare.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

ROUNDS, COUNT, FURTHEST = 12, 1 << 14, 16
"""In each round COUNT operands are drawn, up to 2^FURTHEST neighbours away from the worst so far."""


def climbed(found: Any, drawn: list[np.ndarray], measured: Callable[..., Any]) -> Any:
    """Return the figures of the worst operands: `found`, or those of worse ones.

    `measured` returns the figures of arrays of operands. These stay in the range of the operands drawn. An
    operand that was the same for all, or is 0, is not varied.
    """
    rng = np.random.default_rng(len(drawn[0]))
    ranges = [
        (places(operand[operand != 0]).min(initial=0x7F7FFFFF), places(operand).max()) for operand in drawn
    ]
    for _ in range(ROUNDS):
        near = [neighbours(start, *limits, rng) for start, limits in zip(found.at, ranges, strict=True)]
        best = measured(*near)
        found = best if best.ulp > found.ulp else found
    return found


def places(operand: Any) -> Any:
    """Return the ranks of absolute values in the order of all float32 numbers."""
    return np.abs(operand).view(np.int32)


def neighbours(start: float, lowest: int, highest: int, rng: np.random.Generator) -> np.ndarray:
    """Return numbers near `start`, with its sign, whose absolute values have ranks in a range.

    Three in ten are `start` itself, so that of several operands often only some are varied.
    """
    reach = 1 << rng.integers(1, FURTHEST + 1)
    steps = rng.integers(-reach, reach + 1, COUNT) * (rng.random(COUNT) < 0.7) * (start != 0)
    place = places(np.float32(start)) + steps
    sizes = (place if start == 0 else place.clip(lowest, highest)).astype(np.int32).view(np.float32)
    return np.copysign(sizes, np.float32(start))
