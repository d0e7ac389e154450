"""The textbook definitions, in mpmath, with as many digits as they need to lose none."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from mpmath import exp, ldexp, log, log1p, mp, mpf, tanh

Term = Callable[..., mpf]
Limit = tuple[tuple[float, ...], float, float]

# bits of the result that are sure
GUARD = 130


@dataclass(frozen=True)
class Definition:
    """A function's definition, and what is known of it."""

    value: Term
    grad: Term
    grad2: Term
    limits: tuple[Limit, ...]
    """Operands such as the domain's ends and zeros, and the value and the derivative there."""
    increasing: bool
    """Whether a larger first operand never gives a smaller value."""
    domain: tuple[float, float] = (-inf, inf)
    """The open interval of first operands with finite results."""
    decay: float = 1.0
    """Of the derivative, which falls like exp(-decay * abs(x)), where the domain is infinite."""
    larger_terms: Mapping[str, Term] = field(default_factory=dict)
    """By mode, the larger of the terms whose difference the result is: the yardstick of errors where
    cancellation is allowed. 0 where there is none."""
    argument: Term = lambda x, *others: x
    """Of the operands, what the sigmoid, or the exponential, is taken of."""


def s(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


def slope(x: mpf) -> mpf:
    return s(x) * (1 - s(x))


DEFINITIONS: dict[str, Definition] = {
    "sigmoid": Definition(
        s,
        slope,
        lambda x: slope(x) * (1 - 2 * s(x)),
        limits=(((-inf,), 0.0, 0.0), ((inf,), 1.0, 0.0), ((0.0,), 0.5, 0.25)),
        increasing=True,
    ),
    "log_sigmoid": Definition(
        lambda x: -log1p(exp(-x)),
        lambda x: s(-x),
        lambda x: -slope(x),
        limits=(((-inf,), -inf, 1.0), ((inf,), -0.0, 0.0)),
        increasing=True,
    ),
    "softplus": Definition(
        lambda x: log1p(exp(x)),
        s,
        slope,
        limits=(((-inf,), 0.0, 0.0), ((inf,), inf, 1.0)),
        increasing=True,
    ),
    "softplus_beta": Definition(
        lambda x, beta: log1p(exp(beta * x)) / beta,
        lambda x, beta: s(beta * x),
        lambda x, beta: beta * slope(beta * x),
        limits=(
            *(((-inf, 2.0), 0.0, 0.0), ((inf, 2.0), inf, 1.0), ((inf, -2.0), -0.0, 0.0)),
            *(((2.0, 0.0), inf, 0.5), ((2.0, -0.0), -inf, 0.5)),
            *(((2.0, inf), 2.0, 1.0), ((-2.0, inf), 0.0, 0.0), ((0.0, inf), 0.0, 0.5)),
        ),
        increasing=True,
        argument=lambda x, beta: beta * x,
    ),
    "silu": Definition(
        lambda x: x * s(x),
        lambda x: s(x) + x * slope(x),
        lambda x: slope(x) * (2 + x * (1 - 2 * s(x))),
        limits=(((-inf,), -0.0, -0.0), ((inf,), inf, 1.0), ((-0.0,), -0.0, 0.5), ((0.0,), 0.0, 0.5)),
        increasing=False,
        larger_terms={"grad2": lambda x: max(abs(2 * slope(x)), abs(x * slope(x) * (1 - 2 * s(x))))},
    ),
    "tanh": Definition(
        tanh,
        lambda x: 4 * slope(2 * x),
        lambda x: 8 * slope(2 * x) * (1 - 2 * s(2 * x)),
        limits=(((-inf,), -1.0, 0.0), ((inf,), 1.0, 0.0), ((-0.0,), -0.0, 1.0), ((0.0,), 0.0, 1.0)),
        increasing=True,
        decay=2.0,
    ),
    "logit": Definition(
        lambda x: log(x / (1 - x)),
        lambda x: 1 / (x * (1 - x)),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
        limits=(((0.0,), -inf, inf), ((0.5,), 0.0, 4.0), ((1.0,), inf, inf)),
        increasing=True,
        domain=(0.0, 1.0),
    ),
    "bce_with_logits": Definition(
        lambda x, t: log1p(exp(x)) - x * t,
        lambda x, t: s(x) - t,
        lambda x, t: slope(x),
        # an infinite logit on a hard target's side costs nothing
        limits=(((inf, 1.0), 0.0, -0.0), ((-inf, 0.0), 0.0, 0.0), ((inf, 0.5), inf, 0.5)),
        increasing=False,
        larger_terms={
            "value": lambda x, t: mpf(0) if 0 <= t <= 1 else max(log1p(exp(x)), abs(x * t)),
            "grad": lambda x, t: mpf(0) if t in (0, 1) else max(s(x), abs(t)),
        },
    ),
}


def exact(name: str, mode: str, *operands: Any, dtype: str = "float64") -> tuple[mpf, mpf]:
    """Return the result to `GUARD` bits and more, and the number whose last place is the unit of error.

    A vector-Jacobian product has the unit of its derivative, times the cotangent. Where the derivative
    is a difference, the unit is at least that of the least normal number of the dtype that it is
    computed in (float32 for 16 bits): only a difference of subnormal terms is that small.
    """
    numbers = [mpf(float(operand)) for operand in operands]
    definition = DEFINITIONS[name]
    with mp.workprec(GUARD):
        # exact: a product has at most twice the operands' 53 bits
        argument = definition.argument(*numbers[: len(numbers) - (mode == "vjp")])
    with mp.workprec(bits_needed(argument)):
        if mode == "vjp":
            *others, cotangent = numbers
            grad, scale = exact(name, "grad", *others)
            if larger_term(definition, "grad", others):
                scale = max(scale, ldexp(mpf(1), -1022 if dtype == "float64" else -126))
            return cotangent * grad, abs(cotangent) * scale
        result = getattr(definition, mode)(*numbers)
        return result, max(abs(result), larger_term(definition, mode, numbers))


def larger_term(definition: Definition, mode: str, operands: list[mpf]) -> mpf:
    term = definition.larger_terms.get(mode)
    return mpf(0) if term is None else term(*operands)


def bits_needed(x: mpf) -> int:
    """Return the precision at which nothing is lost: 1 + exp(-x), 1 - s, 1 - 2 s and 1 - x cancel."""
    from_exponential = int(3 * min(abs(x), 800))
    from_smallness = 3 * max(0, -mp.mag(x)) if x else 0
    return GUARD + from_exponential + int(from_smallness)
