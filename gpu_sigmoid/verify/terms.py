"""The terms of the definitions, in mpmath, at the working precision."""

from functools import lru_cache

from mpmath import mp, mpf


@lru_cache(maxsize=8)
def exp_to(x: mpf, precision: int) -> mpf:
    with mp.workprec(precision):
        return mp.exp(x)


def exp(x: mpf) -> mpf:
    """Return the exponential at the working precision, cached since definitions use it several times."""
    return exp_to(x, mp.prec)


def s(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


def slope(x: mpf) -> mpf:
    return s(x) * (1 - s(x))


def silu_grad(x: mpf) -> mpf:
    return s(x) + x * slope(x)


def silu_grad2(x: mpf) -> mpf:
    return slope(x) * (2 + x * (1 - 2 * s(x)))


def silu_term(x: mpf) -> mpf:
    """Return the larger term of silu's derivative."""
    return larger(s(x), x * slope(x))


def silu_term2(x: mpf) -> mpf:
    """Return the larger term of silu's second derivative."""
    return larger(2 * slope(x), x * slope(x) * (1 - 2 * s(x)))


def larger(a: mpf, b: mpf) -> mpf:
    return max(abs(a), abs(b))


def weight(t: mpf, p: mpf) -> mpf:
    """Return the weight of the logarithm in the weighted cross-entropy."""
    return 1 + (p - 1) * t


def nothing(a: mpf, b: mpf) -> mpf:
    return mpf(0)
