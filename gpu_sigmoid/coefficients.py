"""Constants of the formulas, per dtype. Written by tools/fit_coefficients.py.

The comment beside a polynomial says what it approximates, on which interval, and the
largest error of the rounded coefficients there, in the unit that matters to its use.
"""

from gpu_sigmoid.constants import Constant, Polynomial

# 1 / ln(2)
LOG2_E = Constant(float32="0x1.715476p+0", float64="0x1.71547652b82fep+0")

# ln(2), and what its rounding left
LN2_HIGH = Constant(float32="0x1.62e43p-1", float64="0x1.62e42fefa39efp-1")

LN2_LOW = Constant(float32="-0x1.05c61p-29", float64="0x1.abc9e3b39803fp-56")

# the x < 0 where 1 + x + exp(x) = 0, in two parts
SILU_MINIMUM_HIGH = Constant(float32="-0x1.474974p+0", float64="-0x1.474973c84120bp+0")

SILU_MINIMUM_LOW = Constant(float32="0x1.bdf6fap-27", float64="-0x1.f8d74bc9ac154p-54")

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

# (e - log1p(e)) / e^2 on 0 <= e <= 1; relative to log1p(e)
LOG1P_TAIL = Polynomial(
    float32=(  # error 2^-27.5
        "0x1.ffffd2p-2",
        "-0x1.554ddp-2",
        "0x1.ff23e6p-3",
        "-0x1.934b54p-3",
        "0x1.3a435ep-3",
        "-0x1.b4ae08p-4",
        "0x1.d6b08cp-5",
        "-0x1.4917cep-6",
        "0x1.af49cep-9",
    ),
    float64=(  # error 2^-58.8
        "0x1.fffffffffffeep-2",
        "-0x1.5555555554755p-2",
        "0x1.ffffffff84b4ap-3",
        "-0x1.999999882f235p-3",
        "0x1.555553d7c0ab2p-3",
        "-0x1.24923362c977ep-3",
        "0x1.fffe3e255f9f2p-4",
        "-0x1.c70f055760e93p-4",
        "0x1.994b76ce758e8p-4",
        "-0x1.72fa6ec511f47p-4",
        "0x1.505758819a58p-4",
        "-0x1.2c967e2e8fdfp-4",
        "0x1.0246b689ca9d7p-4",
        "-0x1.9c25cebfb46a6p-5",
        "0x1.252665fdede47p-5",
        "-0x1.63f3a6d28d9c4p-6",
        "0x1.60517231e763bp-7",
        "-0x1.0d7d1a2296571p-8",
        "0x1.2843e0e2a5accp-10",
        "-0x1.9e1683a33a4b5p-13",
        "0x1.1337b1e1c0b6fp-16",
    ),
)

# (atanh(z) - z) / z^3 in powers of z^2, z^2 <= 0.045; relative to atanh(z)
ATANH_TAIL = Polynomial(
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

# (1 + x + exp(x)) / d - 1 on abs(d) <= 1/16, d = x - SILU_MINIMUM; relative to 1 + it
SILU_MINIMUM_SLOPE = Polynomial(
    float32=(  # error 2^-26.5
        "0x1.1d25dp-2",
        "0x1.1d25cep-3",
        "0x1.7c326ap-5",
        "0x1.7c4242p-7",
        "0x1.303504p-9",
    ),
    float64=(  # error 2^-59.4
        "0x1.1d25cf210482ep-2",
        "0x1.1d25cf210482ep-3",
        "0x1.7c3269815b593p-5",
        "0x1.7c3269815ba67p-7",
        "0x1.302854677c88fp-9",
        "0x1.958b1b11e26dcp-12",
        "0x1.cf7a6813d486ep-15",
        "0x1.cf85fe9edd7eep-18",
        "0x1.9c055797657b7p-21",
    ),
)
