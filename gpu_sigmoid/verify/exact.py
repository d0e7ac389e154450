"""Results by their definitions, with enough digits to lose none."""

from typing import Any

from mpmath import ldexp, mp, mpf

from gpu_sigmoid.verify.definitions import DEFINITIONS, Definition, Term

# bits of the result that are certain
GUARD = 130


def exact(name: str, mode: str, *operands: Any, dtype: str = "float64", result: int = 0) -> tuple[mpf, mpf]:
    """Return a result to at least `GUARD` bits, and the number whose last place is the unit of error.

    For a vector-Jacobian product that is the number of the derivative times the cotangent. If the
    derivative's terms are added first, the unit is at least that of the least normal number of the dtype
    used for computing (float32 for 16 bits): only a difference of subnormal terms is smaller.
    """
    numbers = [mpf(float(operand)) for operand in operands]
    definition = DEFINITIONS[name]
    with mp.workprec(GUARD):
        # exact: a product has at most twice the operands' 53 bits
        argument = definition.argument(*numbers[: len(numbers) - (mode == "vjp")])
    with mp.workprec(bits_needed(argument)):
        if mode == "vjp":
            *others, cotangent = numbers
            grad, scale = exact(name, "grad", *others, result=result)
            if definition.added_first and larger_term(definition, "grad", others):
                scale = max(scale, ldexp(mpf(1), -1022 if dtype == "float64" else -126))
            return cotangent * grad, abs(cotangent) * scale
        truth = one_of(getattr(definition, mode), result)(*numbers)
        return truth, max(abs(truth), larger_term(definition, mode, numbers, result))


def one_of(terms: Any, result: int) -> Term:
    return terms[result] if isinstance(terms, tuple) else terms


def larger_term(definition: Definition, mode: str, operands: list[mpf], result: int = 0) -> mpf:
    terms = definition.larger_terms.get(mode)
    return mpf(0) if terms is None else one_of(terms, result)(*operands)


def depends_on_factor(name: str, mode: str, result: int) -> bool:
    """Return whether the other operand is a factor of a result."""
    definition = DEFINITIONS[name]
    if not definition.factor:
        return False
    term = one_of(getattr(definition, "grad" if mode == "vjp" else mode), result)
    one, two = (term(*arranged(name, mpf(1), (mpf(factor),))) for factor in (1, 2))
    return one != two


def arranged(name: str, x: Any, more: tuple) -> tuple:
    """Return x and the operands beside it in the order of a call."""
    place = DEFINITIONS[name].x
    return (*more[:place], x, *more[place:])


def bits_needed(x: mpf) -> int:
    """Return a precision that loses nothing, although 1 + exp(-x), 1 - s, 1 - 2 s and 1 - x cancel."""
    from_exponential = int(3 * min(abs(x), 800))
    from_smallness = 3 * max(0, -mp.mag(x)) if x else 0
    return GUARD + from_exponential + int(from_smallness)
