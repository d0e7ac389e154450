"""The textbook definitions, in mpmath, with as many digits as they need to lose none.

`larger_term` is the yardstick of errors where cancellation is allowed: second
derivatives and the cross-entropy, next to their zeros. A vector-Jacobian product has that of
its derivative, times the cotangent, and of the cross-entropy's at least that of the least
normal number: only the sum of a subnormal target and a subnormal sigmoid(x) is that small.
"""

from collections.abc import Callable
from typing import Any

from mpmath import exp, ldexp, log, log1p, mp, mpf

Jet = tuple[Callable[..., mpf], Callable[..., mpf], Callable[..., mpf]]
JET = ("value", "grad", "grad2")
# bits of the result that are sure
GUARD = 130


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


def larger_term(name: str, component: str, x: mpf, *rest: mpf) -> mpf:
    """Return the larger of the terms whose difference the result is, 0 where it is none."""
    match name, component:
        case "silu", "grad2":
            slope = s(x) * (1 - s(x))
            return max(abs(2 * slope), abs(x * slope * (1 - 2 * s(x))))
        case "bce_with_logits", "value" if not 0 <= rest[0] <= 1:
            return max(log1p(exp(x)), abs(x * rest[0]))
        case "bce_with_logits", "grad" if rest[0] not in (0, 1):
            return max(s(x), abs(rest[0]))
    return mpf(0)


def exact(name: str, component: str, *operands: Any, dtype: str = "float64") -> tuple[mpf, mpf]:
    """Return the result to `GUARD` bits and more, and the number whose last place is the unit of error.

    `dtype`, of the operands, says where derivatives become subnormal: 16-bit ones are
    computed in float32.
    """
    numbers = [mpf(float(operand)) for operand in operands]
    with mp.workprec(bits_needed(numbers[0])):
        if component == "vjp":
            *others, cotangent = numbers
            grad, scale = exact(name, "grad", *others)
            if name == "bce_with_logits" and others[1] != 0:
                scale = max(scale, ldexp(mpf(1), -1022 if dtype == "float64" else -126))
            return cotangent * grad, abs(cotangent) * scale
        result = DEFINITIONS[name][JET.index(component)](*numbers)
        return result, max(abs(result), larger_term(name, component, *numbers))


def bits_needed(x: mpf) -> int:
    """Return the precision at which nothing is lost: 1 + exp(-x), 1 - s, 1 - 2 s and 1 - x cancel."""
    from_exponential = int(3 * min(abs(x), 800))
    from_smallness = 3 * max(0, -mp.mag(x)) if x else 0
    return GUARD + from_exponential + int(from_smallness)
