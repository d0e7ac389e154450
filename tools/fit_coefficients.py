"""Fit every constant of `gpu_sigmoid/formulas/coefficients.py` and print that file.

    python tools/fit_coefficients.py > gpu_sigmoid/formulas/coefficients.py

Each polynomial is a minimax fit (`remez.py`). The error printed beside it is that of
the rounded coefficients on a dense grid, in the unit the fit minimised.
"""

from collections.abc import Callable

from mpmath import atanh, cosh, exp, expm1, findroot, log, log1p, mp, mpf
from remez import PRECISION, Fit, polyval, rounded

# the least weight of a point: a vanishing one would make the exchange singular
NEGLIGIBLE = mpf("1e-8")

HEADER = '''"""Constants of the formulas, per dtype. Written by tools/fit_coefficients.py.

The comment beside a polynomial says what it approximates, on which interval, and the
largest error of the rounded coefficients there, in the unit that matters to its use.
"""

from gpu_sigmoid.lowering.constants import Constant, Polynomial
'''


def taylor(coefficient: Callable[[int], mpf], terms: int = 24) -> Callable[[mpf], mpf]:
    """Return sum of coefficient(k) x^k: the quotients below, where x is near 0."""
    return lambda x: polyval([coefficient(k) for k in range(terms)], x)


def near_zero(series: Callable[[mpf], mpf], closed: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    return lambda x: series(x) if abs(x) < mpf("1e-3") else closed(x)


LN2 = mp.ln(2)
# the zero of silu' left of the origin: 1 + x + exp(x) = 0
SILU_MINIMUM = findroot(lambda x: 1 + x + exp(x), mpf("-1.278"))
# rounding to an integer leaves a remainder a little over half a step
HALF = mpf("0.50005")
HALF_STEP = LN2 * HALF
# as many as leave n ln(2), n <= 252 (2044), exact in a float when ln(2) is cut to them
PLACES_OF_SHORT = {"float32": 16, "float64": 42}

TANH_SERIES = mp.taylor(mp.tanh, 0, 49)
# (tanh(a) - a) / a^3 in powers of a^2
TANH_TAIL = taylor(lambda k: TANH_SERIES[2 * k + 3])
EXPM1_OVER_X2 = near_zero(taylor(lambda k: 1 / mp.factorial(k + 2)), lambda x: (expm1(x) - x) / x**2)


def atanh_tail(name: str, interval: str, high: mpf, terms: dict[str, int]) -> Fit:
    return Fit(
        name,
        f"(atanh(z) - z) / z^3 in powers of z^2, {interval}; relative to atanh(z)",
        near_zero(taylor(lambda k: mpf(1) / (2 * k + 3)), lambda w: (atanh(w**0.5) - w**0.5) / w**1.5),
        lambda w: w * w**0.5 / atanh(w**0.5) if w else NEGLIGIBLE,
        mpf(0),
        high,
        terms,
    )


def log_cosh(name: str, written: str, end: mpf, terms: dict[str, int]) -> Fit:
    return Fit(
        name,
        f"log(cosh(x/2)) / x^2 in powers of x^2, abs(x) <= {written}; relative to log(1 + exp(-{written}))",
        lambda w: log(cosh(w**0.5 / 2)) / w if w else mpf(1) / 8,
        lambda w: max(w, NEGLIGIBLE) / log1p(exp(-end)),
        mpf(0),
        end**2,
        terms,
    )


def quotient_in_tanh(a: mpf) -> mpf:
    """Return the error of tanh(a), relative to it, that an error of 1 in a^3 / (a - tanh(a)) causes."""
    return (a - mp.tanh(a)) ** 2 / (a**3 * mp.tanh(a))


FITS = [
    Fit(
        "EXPM1_TAIL",
        "(expm1(r) - r) / r^2 on abs(r) <= ln(2)/2; relative to exp(r)",
        EXPM1_OVER_X2,
        lambda r: max(r**2, NEGLIGIBLE) / exp(r),
        -HALF_STEP,
        HALF_STEP,
        {"float32": 5, "float64": 10},
    ),
    Fit(
        "EXPM1_TAIL_DOUBLED",
        "(expm1(2 h) - 2 h) / h^2 on abs(h) <= ln(2)/4; relative to exp(2 h)",
        lambda h: 4 * EXPM1_OVER_X2(2 * h),
        lambda h: max(h**2, NEGLIGIBLE / 4) / exp(2 * h),
        -HALF_STEP / 2,
        HALF_STEP / 2,
        {"float32": 5, "float64": 10},
    ),
    Fit(
        "EXP2M1_RATIO",
        "(2^f - 1) / f on abs(f) <= 1/2; relative to 2^f",
        near_zero(taylor(lambda k: LN2 ** (k + 1) / mp.factorial(k + 1)), lambda f: expm1(f * LN2) / f),
        lambda f: max(abs(f), NEGLIGIBLE) / 2**f,
        -HALF,
        HALF,
        {"float32": 5, "float64": 11},
    ),
    Fit(
        "RECIPROCAL_SEED",
        "1 / x on 1 <= x <= 2; relative",
        lambda x: 1 / x,
        lambda x: x,
        mpf(1),
        mpf(2),
        {"float32": 4, "float64": 4},
    ),
    atanh_tail("ATANH_TAIL_LOG1P", "z <= 1/3", mpf(1) / 9, {"float32": 4, "float64": 10}),
    atanh_tail("ATANH_TAIL_LOGIT", "z^2 <= 0.045", mpf("0.045"), {"float32": 3, "float64": 8}),
    log_cosh("LOG_COSH", "1/4", mpf(1) / 4, {"float32": 3, "float64": 6}),
    log_cosh("LOG_COSH_WIDER", "1/2", mpf(1) / 2, {"float32": 3, "float64": 7}),
    Fit(
        "TANH_CUBIC",
        "a^3 / (a - tanh(a)) in powers of a^2, a <= 119/128; relative to tanh(a)",
        near_zero(lambda w: -1 / TANH_TAIL(w), lambda w: w**1.5 / (w**0.5 - mp.tanh(w**0.5))),
        lambda w: max(quotient_in_tanh(w**0.5), NEGLIGIBLE) if w else NEGLIGIBLE,
        mpf(0),
        (mpf(119) / 128) ** 2,
        {"float32": 4, "float64": 9},
    ),
]


def hex_float(x: mpf) -> str:
    mantissa, exponent = float(x).hex().split("p")
    return f'"{mantissa.rstrip("0")}p{exponent}"'


def silu_base(dtype: str) -> mpf:
    """Return exp(-SILU_MINIMUM) with a last bit of 0, as `quotients.reciprocal` requires."""
    with mp.workprec(PRECISION[dtype] - 1):
        return +exp(-SILU_MINIMUM)


def silu_base_log_low(dtype: str) -> mpf:
    return rounded(-log(silu_base(dtype)) - rounded(SILU_MINIMUM, dtype), dtype)


def multiple(x: mpf, places: int) -> mpf:
    """Return the multiple of 2^-places that is nearest to x."""
    return mp.ldexp(mp.nint(mp.ldexp(x, places)), -places)


def less_2ln2(dtype: str) -> mpf:
    return log(silu_base(dtype)) - 2 * LN2


def less_2ln2_high(dtype: str) -> mpf:
    """Return log(SILU_BASE) - 2 ln(2) as a multiple of ln(2)'s last place, as what it is subtracted from."""
    return multiple(less_2ln2(dtype), PRECISION[dtype])


def less_2ln2_low(dtype: str) -> mpf:
    return rounded(less_2ln2(dtype) - less_2ln2_high(dtype), dtype)


def high(x: mpf) -> Callable[[str], mpf]:
    return lambda dtype: rounded(x, dtype)


def low(x: mpf) -> Callable[[str], mpf]:
    return lambda dtype: rounded(x - rounded(x, dtype), dtype)


def lowest(x: mpf) -> Callable[[str], mpf]:
    return lambda dtype: rounded(x - high(x)(dtype) - low(x)(dtype), dtype)


def short(x: Callable[[str], mpf]) -> Callable[[str], mpf]:
    return lambda dtype: multiple(x(dtype), PLACES_OF_SHORT[dtype])


def rest(x: Callable[[str], mpf]) -> Callable[[str], mpf]:
    return lambda dtype: rounded(x(dtype) - short(x)(dtype), dtype)


SCALARS = [
    ("LOG2_E", "1 / ln(2)", high(1 / LN2)),
    ("LN2_HIGH", "ln(2), and what its rounding left", high(LN2)),
    ("LN2_LOW", "", low(LN2)),
    (
        "LN2_SHORT",
        "ln(2) in two parts, of which the first times an integer n <= 252 (2044) is exact",
        short(lambda _: LN2),
    ),
    ("LN2_REST", "", rest(lambda _: LN2)),
    ("SILU_MINIMUM_HIGH", "the x < 0 where 1 + x + exp(x) = 0, in three parts", high(SILU_MINIMUM)),
    ("SILU_MINIMUM_LOW", "", low(SILU_MINIMUM)),
    ("SILU_MINIMUM_LOWEST", "", lowest(SILU_MINIMUM)),
    ("SILU_BASE", "exp(-SILU_MINIMUM), its last place left free", silu_base),
    ("SILU_BASE_LOG_LOW", "-log(SILU_BASE) - SILU_MINIMUM_HIGH", silu_base_log_low),
    ("SILU_BASE_LOG_LESS_2LN2_HIGH", "log(SILU_BASE) - 2 ln(2), in two parts", less_2ln2_high),
    ("SILU_BASE_LOG_LESS_2LN2_LOW", "", less_2ln2_low),
    ("SILU_BASE_LOG_LESS_2LN2_SHORT", "the same in parts like those of ln(2)", short(less_2ln2)),
    ("SILU_BASE_LOG_LESS_2LN2_REST", "", rest(less_2ln2)),
    ("SILU_BASE_LOG2_LESS_2", "log2(SILU_BASE) - 2", lambda dtype: rounded(less_2ln2(dtype) / LN2, dtype)),
    ("SILU_RECIPROCAL_BASE", "exp(SILU_MINIMUM), and its square root", high(exp(SILU_MINIMUM))),
    ("SILU_ROOT", "", high(exp(SILU_MINIMUM / 2))),
]


def scalars() -> list[str]:
    blocks = []
    for name, meaning, value in SCALARS:
        fields = ", ".join(f"{dtype}={hex_float(value(dtype))}" for dtype in PRECISION)
        blocks.append((f"# {meaning}\n" if meaning else "") + f"{name} = Constant({fields})\n")
    return blocks


def polynomials() -> list[str]:
    blocks = []
    for fit in FITS:
        lines = [f"# {fit.meaning}", f"{fit.name} = Polynomial("]
        for dtype in fit.terms:
            coefficients = fit.coefficients(dtype)
            error = mp.log(fit.error(coefficients), 2)
            lines.append(f"    {dtype}=(  # error 2^{float(error):.1f}")
            lines += [f"        {hex_float(c)}," for c in coefficients]
            lines.append("    ),")
        blocks.append("\n".join([*lines, ")", ""]))
    return blocks


if __name__ == "__main__":
    print("\n".join([HEADER, *scalars(), *polynomials()]), end="")
