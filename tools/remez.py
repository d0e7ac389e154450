"""Polynomials that approximate a function with the least largest error, by the Remez exchange at 60 digits.

On an interval that begins at 0, each coefficient is rounded to the working precision before those of higher
powers are fitted; on others all are rounded at the end.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mpmath import cos, linspace, lu_solve, matrix, mp, mpf, pi

mp.dps = 60

PRECISION = {"float32": 24, "float64": 53}
GRID = 801
"""The number of points at which an error is evaluated."""


def chebyshev_points(low: mpf, high: mpf, count: int) -> list[mpf]:
    return [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (count - 1)) for i in range(count)]


def polyval(coefficients: list[mpf], x: mpf) -> mpf:
    """Evaluate a polynomial given lowest degree first."""
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


@dataclass
class Fit:
    """Approximate `f` by a polynomial with `terms` coefficients on [low, high].

    The fit minimises max abs(weight * (f - p)).
    """

    name: str
    meaning: str
    f: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]
    low: mpf
    high: mpf
    terms: dict[str, int]

    def coefficients(self, dtype: str) -> list[mpf]:
        """Return the coefficients in `dtype`, lowest degree first."""
        terms = self.terms[dtype]
        if self.low:
            return [rounded(c, dtype) for c in self.minimax(terms, [])]
        # Away from 0 the higher powers can still absorb the rounding of the lower ones.
        fixed: list[mpf] = []
        while len(fixed) < terms:
            fixed.append(rounded(self.minimax(terms, fixed)[0], dtype))
        return fixed

    def minimax(self, terms: int, fixed: list[mpf]) -> list[mpf]:
        """Return the coefficients above the `fixed` ones, by the Remez exchange."""
        grid = chebyshev_points(self.low, self.high, GRID)[1:]
        rests = [self.f(x) - polyval(fixed, x) for x in grid]
        weights = [self.weight(x) for x in grid]
        powers = range(len(fixed), terms)
        points = [GRID * (i + 1) // (len(powers) + 2) for i in range(len(powers) + 1)]
        coefficients: list[mpf] = []
        for _ in range(12):
            system = matrix(len(points), len(points))
            for row, i in enumerate(points):
                for column, power in enumerate(powers):
                    system[row, column] = grid[i] ** power
                system[row, len(powers)] = (-1) ** row / weights[i]
            *coefficients, _level = lu_solve(system, matrix([rests[i] for i in points]))
            full = [mpf(0)] * len(fixed) + coefficients
            errors = [w * (v - polyval(full, x)) for x, v, w in zip(grid, rests, weights, strict=True)]
            points = alternating_extrema(errors, len(points))
        return coefficients

    def error(self, coefficients: list[mpf]) -> mpf:
        return max(
            abs(self.weight(x) * (self.f(x) - polyval(coefficients, x)))
            for x in linspace(self.low, self.high, 2000)
        )


def alternating_extrema(errors: list[mpf], count: int) -> list[int]:
    """Return where the `count` largest errors of alternating sign are."""
    extrema: list[int] = []
    for i, error in enumerate(errors):
        if extrema and (errors[extrema[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[extrema[-1]]):
                extrema[-1] = i
        else:
            extrema.append(i)
    if len(extrema) < count:
        raise ArithmeticError(f"{len(extrema)} alternations, {count} needed")
    while len(extrema) > count:
        extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
    return extrema


def rounded(x: mpf, dtype: str) -> mpf:
    with mp.workprec(PRECISION[dtype]):
        return +x
