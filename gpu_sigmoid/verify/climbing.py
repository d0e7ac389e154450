"""From the worst operands that were drawn to worse ones near them.

Of several float32 operands only a sample can be gone over. Errors that need an unlucky rounding in every
step are so rare that a sample of a billion misses them by half a unit; next to operands whose error is
large already they are not.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

ROUNDS, COUNT, FURTHEST = 12, 1 << 14, 16
"""So often so many operands are drawn up to 2^FURTHEST neighbours away from the worst so far."""


def climbed(found: Any, drawn: list[np.ndarray], measured: Callable[..., Any]) -> Any:
    """Return the figures of the worst operands, `found` or better.

    `measured` gives figures of operands, an array each. They stay in the range of those drawn; what was the
    same for all, and what is 0, stays so.
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
    """Return the places of float32 sizes in the order of all."""
    return np.abs(operand).view(np.int32)


def neighbours(start: float, lowest: int, highest: int, rng: np.random.Generator) -> np.ndarray:
    """Return numbers near one, most of them other ones, with its sign and of sizes at places in a range."""
    reach = 1 << rng.integers(1, FURTHEST + 1)
    steps = rng.integers(-reach, reach + 1, COUNT) * (rng.random(COUNT) < 0.7) * (start != 0)
    place = places(np.float32(start)) + steps
    sizes = (place if start == 0 else place.clip(lowest, highest)).astype(np.int32).view(np.float32)
    return np.copysign(sizes, np.float32(start))
