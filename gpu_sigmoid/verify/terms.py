"""The terms that definitions are made of, in mpmath, to the working precision."""

from functools import lru_cache

from mpmath import mp, mpf


@lru_cache(maxsize=8)
def exp_to(x: mpf, precision: int) -> mpf:
    with mp.workprec(precision):
        return mp.exp(x)


def exp(x: mpf) -> mpf:
    """Return the exponential to the working precision; a definition asks for the same one several times."""
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
    """Return what the logarithm in the weighted cross-entropy counts for."""
    return 1 + (p - 1) * t


def nothing(a: mpf, b: mpf) -> mpf:
    return mpf(0)
