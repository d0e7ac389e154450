"""Floating-point formats, and constants that have one value per format."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A binary floating-point format that formulas are evaluated in."""

    name: str
    bits: int
    c_type: str
    c_bits_type: str

    @property
    def ptx(self) -> str:
        return f"f{self.bits}"

    @property
    def constraint(self) -> str:
        """The letter of such an operand in inline PTX."""
        return "f" if self.bits == 32 else "d"


FLOAT32 = Format("float32", 32, "float", "unsigned int")
FLOAT64 = Format("float64", 64, "double", "unsigned long long")
FORMATS = {format.name: format for format in (FLOAT32, FLOAT64)}


class Constant:
    """A number with one value per format; an `int` is an integer operand.

    Floating-point values may be given as hexadecimal strings.
    """

    def __init__(self, *, float32: str | float, float64: str | float) -> None:
        self._values: dict[Format, float | int] = {FLOAT32: number(float32), FLOAT64: number(float64)}

    def of(self, format: Format) -> float | int:
        """Return the value in `format`."""
        return self._values[format]

    def __neg__(self) -> "Constant":
        return -1.0 * self

    def __rmul__(self, factor: float) -> "Constant":
        """Return the product, exact for powers of two."""
        return Constant(float32=factor * self._values[FLOAT32], float64=factor * self._values[FLOAT64])


class Polynomial:
    """The coefficients of a polynomial, lowest degree first, per format."""

    def __init__(self, *, float32: tuple[str, ...], float64: tuple[str, ...]) -> None:
        self._values = {FLOAT32: float32, FLOAT64: float64}

    def of(self, format: Format) -> tuple[Constant, ...]:
        """Return the coefficients in `format`."""
        return tuple(Constant(float32=c, float64=c) for c in self._values[format])

    def every_other(self, first: int) -> "Polynomial":
        """Return the polynomial of x^2 that has every other coefficient: the even (0) or odd (1) degrees."""
        return self._changed(lambda old: old[first::2])

    def __rmul__(self, factor: float) -> "Polynomial":
        """Return the product, exact for powers of two."""
        return self._changed(lambda old: tuple((factor * float.fromhex(c)).hex() for c in old))

    @property
    def first(self) -> Constant:
        """The coefficient of degree 0."""
        return Constant(float32=self._values[FLOAT32][0], float64=self._values[FLOAT64][0])

    @property
    def rest(self) -> "Polynomial":
        """The polynomial without `first`, divided by its variable."""
        return self._changed(lambda old: old[1:])

    def _changed(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> "Polynomial":
        return Polynomial(float32=change(self._values[FLOAT32]), float64=change(self._values[FLOAT64]))


def number(value: str | float) -> float | int:
    return float.fromhex(value) if isinstance(value, str) else value


INFINITY = Constant(float32="inf", float64="inf")
NAN = Constant(float32="nan", float64="nan")
LARGEST = Constant(float32="0x1.fffffep+127", float64="0x1.fffffffffffffp+1023")
