"""Operations that compilers of the targets get wrong, and that formulas therefore must not contain."""

from math import nan
from typing import Any


def complaint(name: str, operands: tuple[Any, ...]) -> str | None:
    """Return what is wrong with a primitive of these operands, or None."""
    if name == "le" and number(operands[0]) <= 0.0 and operands[1].name == "abs":
        return "abs() >= 0, which CUDA's assembler takes to hold, of nan too"
    if name == "where" and chooses_the_other_zero(*operands):
        return "a choice of the zero not compared with, which LLVM 15 makes for 0.0 and -0.0 too"
    return None


def chooses_the_other_zero(condition: Any, *choices: Any) -> bool:
    """Return whether this is such as where(x < 0.0, -0.0, x), of which LLVM 15 makes x <= 0.0."""
    compared, chosen = ({v for v in values if number(v) == 0.0} for values in (condition.operands, choices))
    return bool(compared and chosen and compared != chosen and {*condition.operands} & {*choices})


def number(value: Any) -> float:
    """Return a constant's number, or nan for any other value."""
    return float.fromhex(value.payload) if (value.name, value.kind) == ("constant", "f") else nan
