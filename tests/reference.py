"""The textbook definitions, in mpmath: a line per function, derivatives by mpmath too.

`larger_term` is the unit's yardstick where the contract allows cancellation: second
derivatives and the cross-entropy, next to their zeros.
"""

from collections.abc import Callable

from mpmath import exp, log, log1p, mp, mpf

# e^-760 is added to 1 and must not vanish: 330 decimal digits
PRECISION = 1200

Jet = tuple[Callable[..., mpf], Callable[..., mpf], Callable[..., mpf]]


def s(x: mpf) -> mpf:
    return 1 / (1 + exp(-x))


DEFINITIONS: dict[str, Jet] = {
    "sigmoid": (s, lambda x: s(x) * (1 - s(x)), lambda x: s(x) * (1 - s(x)) * (1 - 2 * s(x))),
    "log_sigmoid": (lambda x: -log1p(exp(-x)), lambda x: s(-x), lambda x: -s(x) * (1 - s(x))),
    "softplus": (lambda x: log1p(exp(x)), s, lambda x: s(x) * (1 - s(x))),
    "silu": (
        lambda x: x * s(x),
        lambda x: s(x) + x * s(x) * (1 - s(x)),
        lambda x: s(x) * (1 - s(x)) * (2 + x * (1 - 2 * s(x))),
    ),
    "logit": (
        lambda x: log(x / (1 - x)),
        lambda x: 1 / (x * (1 - x)),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
    ),
    "bce_with_logits": (
        lambda x, t: log1p(exp(x)) - x * t,
        lambda x, t: s(x) - t,
        lambda x, t: s(x) * (1 - s(x)),
    ),
}


def larger_term(name: str, component: int, x: mpf, *rest: mpf) -> mpf:
    """Return the larger of the terms whose difference the result is, 0 where it is none."""
    slope = s(x) * (1 - s(x))
    match name, component:
        case "silu", 2:
            return max(abs(2 * slope), abs(x * slope * (1 - 2 * s(x))))
        case "bce_with_logits", 0:
            return max(log1p(exp(x)), abs(x * rest[0])) if not 0 <= rest[0] <= 1 else mpf(0)
        case "bce_with_logits", 1:
            return max(s(x), abs(rest[0])) if rest[0] not in (0, 1) else mpf(0)
    return mpf(0)


def jet(name: str, component: int, *operands: float) -> tuple[mpf, mpf]:
    """Return the exact result and the number whose last place is the unit of error."""
    with mp.workprec(PRECISION):
        exact = [mpf(float(operand)) for operand in operands]
        result = DEFINITIONS[name][component](*exact)
        return result, max(abs(result), larger_term(name, component, *exact))
