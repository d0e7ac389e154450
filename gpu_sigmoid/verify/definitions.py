"""The textbook definitions, in mpmath."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from mpmath import log, log1p, mpf, tanh

from gpu_sigmoid.verify.terms import (
    exp,
    larger,
    nothing,
    s,
    silu_grad,
    silu_grad2,
    silu_term,
    silu_term2,
    slope,
    weight,
)

Term = Callable[..., mpf]
Limit = tuple[Any, ...]


@dataclass(frozen=True)
class Definition:
    """A function's definition, and its known properties.

    A mode of several results has a tuple of terms, in the order of `gpu_sigmoid.modes`.
    """

    value: Term
    grad: Term | tuple[Term, ...]
    grad2: Term | tuple[Term, ...]
    limits: tuple[Limit, ...]
    """Operands such as the domain's ends and zeros, and the value and the derivatives there."""
    increasing: bool
    """Whether a larger x never gives a smaller value."""
    decay: float = 1.0
    """The derivative falls like exp(-decay * abs(x)) if the domain is infinite."""
    larger_terms: Mapping[str, Term | tuple[Term, ...]] = field(default_factory=dict)
    """By mode, the larger of the terms whose difference is the result: the unit of errors if cancellation
    is allowed, otherwise 0."""
    argument: Term = lambda x, *others: x
    """The argument of the sigmoid or the exponential, from the operands."""
    added_first: bool = False
    """Whether these terms are added before a cotangent is multiplied in."""
    x: int = 0
    """The position of the operand that is varied, since it decides what is hard to compute."""
    factor: bool = False
    """Whether the other operand is a factor, which in the `tails` may multiply an underflowed result."""
    tails: tuple[float, float] = (-1.0, 1.0)
    """The ends of the interval in which that loses nothing, in units of the largest such x."""


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
        silu_grad,
        silu_grad2,
        limits=(((-inf,), -0.0, -0.0), ((inf,), inf, 1.0), ((-0.0,), -0.0, 0.5), ((0.0,), 0.0, 0.5)),
        increasing=False,
        larger_terms={"grad2": silu_term2},
    ),
    "silu_beta": Definition(
        lambda x, beta: x * s(beta * x),
        lambda x, beta: silu_grad(beta * x),
        lambda x, beta: beta * silu_grad2(beta * x),
        limits=(
            *(((-inf, 2.0), -0.0, -0.0), ((inf, 2.0), inf, 1.0), ((inf, -2.0), 0.0, -0.0)),
            *(((2.0, 0.0), 1.0, 0.5), ((-0.0, 2.0), -0.0, 0.5), ((-0.0, -2.0), -0.0, 0.5)),
            *(((2.0, inf), 2.0, 1.0), ((-2.0, inf), -0.0, -0.0), ((0.0, inf), 0.0, 0.5)),
        ),
        increasing=False,
        larger_terms={"grad2": lambda x, beta: abs(beta) * silu_term2(beta * x)},
        argument=lambda x, beta: beta * x,
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
    ),
    "log1mexp": Definition(
        lambda x: log(1 - exp(x)),
        lambda x: exp(x) / (exp(x) - 1),
        lambda x: -exp(x) / (exp(x) - 1) ** 2,
        limits=(((-inf,), -0.0, -0.0), ((-0.0,), -inf, -inf), ((0.0,), -inf, -inf)),
        increasing=False,
    ),
    "softplus_inverse": Definition(
        lambda x: log(exp(x) - 1),
        lambda x: 1 / (1 - exp(-x)),
        lambda x: -exp(-x) / (1 - exp(-x)) ** 2,
        limits=(((-0.0,), -inf, inf), ((0.0,), -inf, inf), ((inf,), inf, 1.0)),
        increasing=True,
    ),
    "bce_with_logits": Definition(
        lambda x, t: log1p(exp(x)) - x * t,
        lambda x, t: s(x) - t,
        lambda x, t: slope(x),
        # an infinite logit on the side of a target of 0 or 1 costs 0
        limits=(((inf, 1.0), 0.0, -0.0), ((-inf, 0.0), 0.0, 0.0), ((inf, 0.5), inf, 0.5)),
        increasing=False,
        larger_terms={
            "value": lambda x, t: mpf(0) if 0 <= t <= 1 else max(log1p(exp(x)), abs(x * t)),
            "grad": lambda x, t: mpf(0) if t in (0, 1) else max(s(x), abs(t)),
        },
        added_first=True,
    ),
    "glu": Definition(
        lambda a, b: a * s(b),
        (lambda a, b: s(b), lambda a, b: a * slope(b)),
        (nothing, lambda a, b: slope(b), lambda a, b: a * slope(b) * (1 - 2 * s(b))),
        limits=(((2.0, -inf), 0.0, 0.0, 0.0), ((2.0, inf), 2.0, 1.0, 0.0), ((-0.0, 0.0), -0.0, 0.5, -0.0)),
        increasing=False,
        argument=lambda a, b: b,
        x=1,
        factor=True,
    ),
    "swiglu": Definition(
        lambda a, b: a * s(a) * b,
        (lambda a, b: b * silu_grad(a), lambda a, b: a * s(a)),
        (lambda a, b: b * silu_grad2(a), lambda a, b: silu_grad(a), nothing),
        limits=(
            ((-inf, 2.0), -0.0, -0.0, -0.0),
            ((inf, 2.0), inf, 2.0, inf),
            ((0.0, 2.0), 0.0, 1.0, 0.0),
            ((-0.0, 2.0), -0.0, 1.0, -0.0),
        ),
        increasing=False,
        larger_terms={
            "grad": (lambda a, b: abs(b) * silu_term(a), nothing),
            "grad2": (
                lambda a, b: abs(b) * silu_term2(a),
                lambda a, b: silu_term(a),
                nothing,
            ),
        },
        factor=True,
        tails=(-1.0, inf),
    ),
    "bce_with_logits_pos_weight": Definition(
        lambda x, t, p: (1 - t) * x + weight(t, p) * log1p(exp(-x)),
        lambda x, t, p: (1 - t) - weight(t, p) * s(-x),
        lambda x, t, p: weight(t, p) * slope(x),
        limits=(
            *(((inf, 1.0, 3.0), 0.0, -0.0), ((-inf, 0.0, 3.0), 0.0, 0.0), ((inf, 0.5, 3.0), inf, 0.5)),
            *(((-inf, 1.0, 0.0), 0.0, 0.0), ((-inf, 1.0, 3.0), inf, -3.0), ((2.0, 1.0, 0.0), 0.0, 0.0)),
        ),
        increasing=False,
        larger_terms={
            "value": lambda x, t, p: (
                mpf(0) if 0 <= t <= 1 else larger((1 - t) * log1p(exp(x)), p * t * log1p(exp(-x)))
            ),
            "grad": lambda x, t, p: mpf(0) if t in (0, 1) else larger(1 - t, weight(t, p) * s(-x)),
            "grad2": lambda x, t, p: slope(x) * (mpf(0) if 0 <= t <= 1 else larger(1 - t, p * t)),
        },
    ),
}
