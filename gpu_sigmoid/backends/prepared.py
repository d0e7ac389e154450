"""Repeated calls: whatever they have in common is worked out once."""

from collections.abc import Callable
from typing import Any

MOST_KEPT = 1024

Call = Callable[[tuple, Any], Any]
"""Computes from operands and `out`, or returns NotImplemented without having done anything."""


class Calls:
    """A method's prepared calls, keyed by how `described` describes the operands and `out`."""

    def __init__(self, described: Callable[[tuple, Any], tuple]) -> None:
        self.described = described
        self.prepared: dict[tuple, Call] = {}

    def __call__(self, operands: tuple, out: Any) -> Any:
        call = self.prepared.get(self.described(operands, out))
        return NotImplemented if call is None else call(operands, out)

    def remember(self, operands: tuple, out: Any, call: Call) -> None:
        if len(self.prepared) >= MOST_KEPT:
            self.prepared.clear()
        self.prepared[self.described(operands, out)] = call
