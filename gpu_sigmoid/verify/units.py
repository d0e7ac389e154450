"""Floating-point formats: units in the last place, and rounding to them."""

from dataclasses import dataclass

import numpy as np
from mpmath import floor, frexp, ldexp, mp, mpf

from gpu_sigmoid.dtypes import numpy_dtype


@dataclass(frozen=True)
class Unit:
    """A binary format: bits of the significand, exponents of the least subnormal and of overflow."""

    name: str
    precision: int
    least: int
    overflow: int

    @property
    def dtype(self) -> np.dtype:
        return numpy_dtype(self.name)

    def of(self, scale: mpf) -> mpf:
        """Return the last place of a number of magnitude `scale`, at least that of subnormals."""
        exponent = frexp(scale)[1] if scale else self.least
        return ldexp(mpf(1), max(exponent - self.precision, self.least))

    def overflows(self, exact: mpf) -> bool:
        return abs(exact) >= ldexp(mpf(2) - ldexp(mpf(1), -self.precision), self.overflow - 1)

    def error(self, got: float, exact: mpf, scale: mpf) -> float:
        """Return the error of `got`, in last places of `scale`."""
        if self.overflows(exact):
            return 0.0 if got == float("inf") * (1 if exact > 0 else -1) else float("inf")
        if got != got:
            return float("inf")
        if np.isinf(got):
            # overflow by less than the bound is an error of that size
            return float(abs(ldexp(mpf(1), self.overflow) - abs(exact)) / self.of(abs(exact)))
        return float(abs(mpf(got) - exact) / self.of(scale))

    def nearest(self, exact: mpf) -> float:
        """Return `exact` rounded to nearest, ties to even."""
        if self.overflows(exact):
            return float("inf") if exact > 0 else float("-inf")
        # at the working precision the division would round a near tie to an exact tie
        with mp.workprec(exact.man.bit_length() + 2 * self.precision):
            step = self.of(abs(exact))
            below = floor(exact / step)
            rest = exact / step - below
            up = rest > 0.5 or (rest == 0.5 and int(below) % 2 == 1)
            return float((below + (1 if up else 0)) * step)


UNITS = {
    unit.name: unit
    for unit in (
        Unit("float32", 24, -149, 128),
        Unit("float64", 53, -1074, 1024),
        Unit("float16", 11, -24, 16),
        Unit("bfloat16", 8, -133, 128),
    )
}
