"""Constants of the formulas, per dtype. Written by tools/fit_coefficients.py.

The comment beside a polynomial says what it approximates, on which interval, and the
largest error of the rounded coefficients there, in the unit that matters to its use.
"""

from gpu_sigmoid.lowering.constants import Constant, Polynomial

# 1 / ln(2)
LOG2_E = Constant(float32="0x1.715476p+0", float64="0x1.71547652b82fep+0")

# ln(2), and what its rounding left
LN2_HIGH = Constant(float32="0x1.62e43p-1", float64="0x1.62e42fefa39efp-1")

LN2_LOW = Constant(float32="-0x1.05c61p-29", float64="0x1.abc9e3b39803fp-56")

# ln(2) in two parts, of which the first times an integer n <= 252 (2044) is exact
LN2_SHORT = Constant(float32="0x1.62e4p-1", float64="0x1.62e42fefa38p-1")

LN2_REST = Constant(float32="0x1.7f7d1cp-20", float64="0x1.ef35793c7673p-45")

# the x < 0 where 1 + x + exp(x) = 0, in three parts
SILU_MINIMUM_HIGH = Constant(float32="-0x1.474974p+0", float64="-0x1.474973c84120bp+0")

SILU_MINIMUM_LOW = Constant(float32="0x1.bdf6fap-27", float64="-0x1.f8d74bc9ac154p-54")

SILU_MINIMUM_LOWEST = Constant(float32="0x1.03945ap-53", float64="-0x1.44a50180ba78p-108")

# exp(-SILU_MINIMUM), its last place left free
SILU_BASE = Constant(float32="0x1.cba9ep+1", float64="0x1.cba9de5920a28p+1")

# -log(SILU_BASE) - SILU_MINIMUM_HIGH
SILU_BASE_LOG_LOW = Constant(float32="-0x1.67876p-25", float64="-0x1.f8e32e147925fp-54")

# log(SILU_BASE) - 2 ln(2), in two parts
SILU_BASE_LOG_LESS_2LN2_HIGH = Constant(float32="-0x1.b9abbp-4", float64="-0x1.b9abc27627e38p-4")

SILU_BASE_LOG_LESS_2LN2_LOW = Constant(float32="-0x1.deff78p-27", float64="-0x1.ba03878aa5b81p-55")

# the same in parts like those of ln(2)
SILU_BASE_LOG_LESS_2LN2_SHORT = Constant(float32="-0x1.b9bp-4", float64="-0x1.b9abc27628p-4")

SILU_BASE_LOG_LESS_2LN2_REST = Constant(float32="0x1.13108p-18", float64="0x1.c48bf8f0eab49p-48")

# log2(SILU_BASE) - 2
SILU_BASE_LOG2_LESS_2 = Constant(float32="-0x1.3e991cp-3", float64="-0x1.3e9925e600589p-3")

# exp(SILU_MINIMUM), and its square root
SILU_RECIPROCAL_BASE = Constant(float32="0x1.1d25dp-2", float64="0x1.1d25cf210482ep-2")

SILU_ROOT = Constant(float32="0x1.0e2e5ap-1", float64="0x1.0e2e5a6c46f34p-1")

# (expm1(r) - r) / r^2 on abs(r) <= ln(2)/2; relative to exp(r)
EXPM1_TAIL = Polynomial(
    float32=(  # error 2^-28.0
        "0x1.fffffcp-2",
        "0x1.555492p-3",
        "0x1.5558f2p-5",
        "0x1.1239e2p-7",
        "0x1.6a2458p-10",
    ),
    float64=(  # error 2^-56.4
        "0x1.000000000000ap-1",
        "0x1.55555555554fap-3",
        "0x1.555555555087cp-5",
        "0x1.1111111127bcep-7",
        "0x1.6c16c1842a17fp-10",
        "0x1.a01a012a5fe0bp-13",
        "0x1.a0199a0c5fbffp-16",
        "0x1.71df253f48bbcp-19",
        "0x1.28ad72cbaaa95p-22",
        "0x1.ad7f8e49410d7p-26",
    ),
)

# (expm1(2 h) - 2 h) / h^2 on abs(h) <= ln(2)/4; relative to exp(2 h)
EXPM1_TAIL_DOUBLED = Polynomial(
    float32=(  # error 2^-28.0
        "0x1.fffffcp+0",
        "0x1.555492p+0",
        "0x1.5558f2p-1",
        "0x1.1239e2p-2",
        "0x1.6a2458p-4",
    ),
    float64=(  # error 2^-56.4
        "0x1.000000000000ap+1",
        "0x1.55555555554fap+0",
        "0x1.555555555087cp-1",
        "0x1.1111111127bcep-2",
        "0x1.6c16c1842a17fp-4",
        "0x1.a01a012a5fe0bp-6",
        "0x1.a0199a0c5fbffp-8",
        "0x1.71df253f48bbcp-10",
        "0x1.28ad72cbaaa95p-12",
        "0x1.ad7f8e49410d7p-15",
    ),
)

# (2^f - 1) / f on abs(f) <= 1/2; relative to 2^f
EXP2M1_RATIO = Polynomial(
    float32=(  # error 2^-23.1
        "0x1.62e42ap-1",
        "0x1.ebf9bcp-3",
        "0x1.c6b754p-5",
        "0x1.3cea9ep-7",
        "0x1.5bba22p-10",
    ),
    float64=(  # error 2^-55.0
        "0x1.62e42fefa39efp-1",
        "0x1.ebfbdff82c5a4p-3",
        "0x1.c6b08d7049fe8p-5",
        "0x1.3b2ab6fba010ap-7",
        "0x1.5d87fe78cd705p-10",
        "0x1.4309130edc36bp-13",
        "0x1.ffcbfba97d60cp-17",
        "0x1.62bfc7941b6cap-20",
        "0x1.b5267cce64e66p-24",
        "0x1.e61b606af34fdp-28",
        "0x1.e79bf502417d8p-32",
    ),
)

# 1 / x on 1 <= x <= 2; relative
RECIPROCAL_SEED = Polynomial(
    float32=(  # error 2^-9.2
        "0x1.6a0996p+1",
        "-0x1.783bfep+1",
        "0x1.54bd72p+0",
        "-0x1.c651c8p-3",
    ),
    float64=(  # error 2^-9.2
        "0x1.6a099509b3d6ep+1",
        "-0x1.783bfd9dc0183p+1",
        "0x1.54bd728c3a5fp+0",
        "-0x1.c651c7cce548ep-3",
    ),
)

# (atanh(z) - z) / z^3 in powers of z^2, z <= 1/3; relative to atanh(z)
ATANH_TAIL_LOG1P = Polynomial(
    float32=(  # error 2^-27.7
        "0x1.555502p-2",
        "0x1.99d1ccp-3",
        "0x1.1ec03ep-3",
        "0x1.1eca32p-3",
    ),
    float64=(  # error 2^-58.2
        "0x1.5555555555535p-2",
        "0x1.99999999a074fp-3",
        "0x1.249249208cf62p-3",
        "0x1.c71c741bb35d7p-4",
        "0x1.745cb42c7b5ep-4",
        "0x1.3b1dd64168e6fp-4",
        "0x1.106820ad6a391p-4",
        "0x1.efd0a6b240038p-5",
        "0x1.55de54e634d49p-5",
        "0x1.5c40b3594aa71p-4",
    ),
)

# (atanh(z) - z) / z^3 in powers of z^2, z^2 <= 0.045; relative to atanh(z)
ATANH_TAIL_LOGIT = Polynomial(
    float32=(  # error 2^-27.7
        "0x1.5555dcp-2",
        "0x1.990ceap-3",
        "0x1.394878p-3",
    ),
    float64=(  # error 2^-61.1
        "0x1.5555555555545p-2",
        "0x1.999999999f52ap-3",
        "0x1.2492491f17ca9p-3",
        "0x1.c71c76d821d1ap-4",
        "0x1.745bcc25e89edp-4",
        "0x1.3b44c780d70a9p-4",
        "0x1.0ce01d12604f8p-4",
        "0x1.2153246ed82bdp-4",
    ),
)

# log(cosh(x/2)) / x^2 in powers of x^2, abs(x) <= 1/4; relative to log(1 + exp(-1/4))
LOG_COSH = Polynomial(
    float32=(  # error 2^-36.2
        "0x1.p-3",
        "-0x1.555458p-8",
        "0x1.6969c4p-12",
    ),
    float64=(  # error 2^-65.0
        "0x1.fffffffffffffp-4",
        "-0x1.55555555543b8p-8",
        "0x1.6c16c165a212bp-12",
        "-0x1.ba1b905364ab2p-16",
        "0x1.1e99f867d4bp-19",
        "-0x1.7b4913455a47p-23",
    ),
)

# log(cosh(x/2)) / x^2 in powers of x^2, abs(x) <= 1/2; relative to log(1 + exp(-1/2))
LOG_COSH_WIDER = Polynomial(
    float32=(  # error 2^-28.9
        "0x1.ffffecp-4",
        "-0x1.55371ep-8",
        "0x1.5f0ed2p-12",
    ),
    float64=(  # error 2^-59.4
        "0x1.ffffffffffff1p-4",
        "-0x1.555555554f57fp-8",
        "0x1.6c16c15f23b53p-12",
        "-0x1.ba1b947164559p-16",
        "0x1.1ea22d303460cp-19",
        "-0x1.82226dfcc5395p-23",
        "0x1.ed37d8f0a8b2cp-27",
    ),
)

# a^3 / (a - tanh(a)) in powers of a^2, a <= 119/128; relative to tanh(a)
TANH_CUBIC = Polynomial(
    float32=(  # error 2^-29.4
        "0x1.800004p+1",
        "0x1.3332dap+0",
        "-0x1.754b3ap-8",
        "0x1.e06cf8p-13",
    ),
    float64=(  # error 2^-62.4
        "0x1.8p+1",
        "0x1.3333333333326p+0",
        "-0x1.767dce433551cp-8",
        "0x1.0a4e1577fbf3dp-12",
        "-0x1.997cb03606013p-17",
        "0x1.41743c78355e5p-21",
        "-0x1.fb921793ca7b3p-26",
        "0x1.8c03bc2d30785p-30",
        "-0x1.04659e91a21c1p-34",
    ),
)
