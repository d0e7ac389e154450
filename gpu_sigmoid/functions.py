"""The public functions, and `FUNCTIONS`, the table of them.

Code that handles every function (documentation, command line) iterates over `FUNCTIONS`. A new
function is a formula in `formulas` and an entry here. `FUNCTIONS` does not list the functions with a
parameter; `registry.FUNCTIONS`, which backends, tests and the verification use, does.
"""

from math import inf

from gpu_sigmoid import formulas, registry
from gpu_sigmoid.methods import Function, find

sigmoid = Function(
    formulas.sigmoid,
    "The logistic sigmoid, 1 / (1 + exp(-x)).",
    "0 at -inf, 1 at inf; the derivative is 0 at both and keeps its relative accuracy in both tails.",
    example="gs.sigmoid([-100.0, 0.0, 2.0])\narray([3.72007598e-44, 5.00000000e-01, 8.80797078e-01])",
)
log_sigmoid = Function(
    formulas.log_sigmoid,
    "The logarithm of the sigmoid, -log(1 + exp(-x)).",
    "-inf at -inf, -0.0 at inf; the derivative is sigmoid(-x).",
    example="gs.log_sigmoid([-100.0, 0.0, 40.0])\narray([-1.00000000e+02, -6.93147181e-01, -4.24835426e-18])",
)
softplus = Function(
    formulas.softplus,
    "The softplus, log(1 + exp(x)), exact for all x: there is no threshold.",
    "0 at -inf, inf at inf; the derivative is sigmoid(x).",
    parametrised=Function(
        formulas.softplus_beta,
        "log(1 + exp(beta * x)) / beta.",
        "The product beta * x is not rounded, and may overflow. The result is inf or -inf for a beta of 0,\n"
        "with the sign of beta, max(x, 0) for a beta of inf, and min(x, 0) for one of -inf.\n"
        "\n"
        "- In float32 and 16 bits the bounds hold for abs(beta) from 2^-28 to 2^62.\n"
        "- In float64 they hold for abs(beta) from 2^-420 to 2^510.\n"
        "- With a larger beta the value is that of an infinite beta, to within 2e-19 (float64: 3e-154).\n"
        "- With a larger beta than 2^120 (float64: 2^1016) derivatives are those of that number.\n"
        "- With a smaller beta the lower tail ends at beta * x = -131 (float64: -1060). Results beyond it\n"
        "  are those at its end, and too large.\n"
        "- With a beta below 2^-120 (float64: 2^-1013) results for an infinite x are nan.\n"
        "- The second derivative is 0 where abs(beta * x) is 131 or more (float64: 1060).",
        differentiable=2,
        called="softplus",
        example="gs.softplus([-1.0, 0.0, 1.0], beta=20.0)\n"
        "array([1.03057681e-10, 3.46573590e-02, 1.00000000e+00])",
    ),
    example="gs.softplus([-100.0, 0.0, 100.0])\narray([3.72007598e-44, 6.93147181e-01, 1.00000000e+02])",
)
silu = Function(
    formulas.silu,
    "The sigmoid linear unit (swish), x * sigmoid(x).",
    "-0.0 at -inf, inf at inf; the sign of zero is kept.",
    parametrised=Function(
        formulas.silu_beta,
        "x * sigmoid(beta * x).",
        "The product beta * x is not rounded, and may overflow. The result is x / 2 for a beta of 0,\n"
        "max(x, 0) for a beta of inf, and min(x, 0) for one of -inf.\n"
        "\n"
        "- In float32 and 16 bits the bounds hold for abs(beta) from 2^-28 to 2^120.\n"
        "- In float64 they hold for abs(beta) from 2^-420 to 2^1016.\n"
        "- A larger beta counts as the largest of these.\n"
        "- With a smaller beta the lower tail ends at beta * x = -131 (float64: -1060). Results beyond it\n"
        "  are those at its end, and too large in magnitude.\n"
        "- With a beta below 2^-63 (float64: 2^-511) it ends at -86 (float64: -708).\n"
        "- With a beta below 2^-120 (float64: 2^-1013) results for an infinite x may be nan.\n"
        "- The second derivative is 0 where abs(beta * x) is 131 or more (float64: 1060).",
        differentiable=2,
        called="silu",
        example="gs.silu([-1.0, 0.0, 1.0], beta=1.702)\narray([-0.15420423,  0.        ,  0.84579577])",
    ),
    example="gs.silu([-100.0, 0.0, 2.0])\narray([-3.72007598e-42,  0.00000000e+00,  1.76159416e+00])",
)
tanh = Function(
    formulas.tanh,
    "The hyperbolic tangent, 1 - 2 / (1 + exp(2 x)).",
    "-1 at -inf, 1 at inf, x itself near 0; the sign of zero is kept. The derivative is 0 at both ends and\n"
    "keeps its relative accuracy in both tails.",
    example="gs.tanh([-1e-9, 0.0, 2.0])\narray([-1.0000000e-09,  0.0000000e+00,  9.6402758e-01])",
)
logit = Function(
    formulas.logit,
    "The inverse of the sigmoid, log(x / (1 - x)).",
    "-inf at 0, inf at 1, nan outside [0, 1]; full relative accuracy near 0.5.",
    domain=(0.0, 1.0),
    example="gs.logit([1e-9, 0.25, 0.5])\narray([-20.72326584,  -1.09861229,   0.        ])",
)
log1mexp = Function(
    formulas.log1mexp,
    "The logarithm of one minus an exponential, log(1 - exp(x)) for x <= 0.",
    "-0.0 at -inf, -inf at 0, nan above. As in SciPy, Stan, PyTensor and Julia, x is the logarithm of a\n"
    "probability p and the result the logarithm of 1 - p, so that the function is its own inverse. JAX\n"
    "and R define log1mexp(a) with the other sign: theirs is log1mexp(-a) here.",
    domain=(-inf, 0.0),
    example="gs.log1mexp([-50.0, -1.0, -1e-9])\narray([-1.92874985e-22, -4.58675145e-01, -2.07232658e+01])",
)
softplus_inverse = Function(
    formulas.softplus_inverse,
    "The inverse of the softplus, log(exp(x) - 1) = x + log(1 - exp(-x)).",
    "-inf at 0, inf at inf, nan below 0; full relative accuracy near its zero, ln(2).",
    domain=(0.0, inf),
    example="gs.softplus_inverse([1e-9, 1.0, 100.0])\narray([-20.72326584,   0.54132485, 100.        ])",
)
bce_with_logits = Function(
    formulas.bce_with_logits,
    "The binary cross-entropy of a logit, softplus(x) - x * target, elementwise.",
    "An infinite logit on the side of a target of 0 or 1 costs 0. For targets in [0, 1] nothing cancels in\n"
    "the value. Terms cancel in the gradient, sigmoid(x) - target, where the two are close, and in\n"
    "the value for targets outside [0, 1], which use the same formula; there errors are in units in the\n"
    "last place of the larger term.",
    differentiable=2,
    parametrised=Function(
        formulas.bce_with_logits_pos_weight,
        "(1 - target) * x + (1 + (pos_weight - 1) * target) * softplus(-x).",
        "An infinite logit whose cost is 0 in the limit costs 0: with a target of 0 or 1, or a pos_weight\n"
        "of 0. Bounds hold for a pos_weight from 2^-60 to 2^38 (float64: 2^-500 to 2^440), and for 0; with\n"
        "a larger one, no logit costs less than one of 131 (1060).\n"
        "Nothing cancels in the value for targets in [0, 1]. In the gradient terms cancel where\n"
        "(1 - target) and (1 + (pos_weight - 1) * target) * sigmoid(-x) are close; there errors are in\n"
        "units in the last place of the larger one. With an infinite pos_weight the value is infinite for\n"
        "a target above 0, and nan for a target of 0; derivatives may be nan.",
        differentiable=3,
        called="bce_with_logits",
        example="gs.bce_with_logits([-3.0, 2.0], [0.0, 1.0], pos_weight=10.0)\n"
        "array([0.04858735, 1.26928011])",
    ),
    example="gs.bce_with_logits([-3.0, 2.0], [0.0, 1.0])\narray([0.04858735, 0.12692801])",
)
glu = Function(
    formulas.glu,
    "The gated linear unit, a * sigmoid(b).",
    "A large `a` is multiplied by sigmoid(b) before that underflows. 0 times infinity is nan.",
    differentiable=2,
    gradients=2,
    example="gs.glu([1e300, 2.0], [-800.0, 1.0])\narray([3.66787458e-48, 1.46211716e+00])",
)
swiglu = Function(
    formulas.swiglu,
    "The gated unit of silu, silu(a) * b = a * sigmoid(a) * b.",
    "A large `b` is multiplied by silu(a) before that underflows. 0 times infinity is nan, silu(-inf) is\n"
    "-0.0. The derivative by `a` changes sign near a = -1.278; there errors are in units in the\n"
    "last place of the larger of its terms, b * sigmoid(a) and a * b * sigmoid'(a).",
    differentiable=2,
    gradients=2,
    example="gs.swiglu([-800.0, 1.0], [1e300, 2.0])\narray([-2.93429967e-45,  1.46211716e+00])",
)

FAMILY = (
    *(sigmoid, log_sigmoid, softplus, softplus_inverse, silu, tanh, logit, log1mexp),
    *(bce_with_logits, glu, swiglu),
)
FUNCTIONS: dict[str, Function] = {f.label: f for f in FAMILY}
for _function in FUNCTIONS.values():
    registry.FUNCTIONS.update({f.name: f for f in (_function, _function.parametrised) if f is not None})
sigmoid_prime = sigmoid.grad
expit, log_expit = sigmoid, log_sigmoid
ALIASES = {"expit": expit, "log_expit": log_expit}
"""The functions that have other names in scipy.special, by these."""
NAMED: dict[str, Function] = {**FUNCTIONS, **ALIASES}
"""The functions by all their names."""

# pickles look for it here
find.__module__ = __name__
