"""The largest error promised for each function, and the largest found.

The unit is the last place of the correct result (ULP), subnormal results included,
against the definition in higher precision. For silu's second derivative and for
`bce_with_logits`, which cancel near their zeros, it is the last place of the larger of
the terms they are the difference of. One half means the nearest float, always.

`worst` is what `gpu-sigmoid verify --exhaustive` found: over all float32, float16 and
bfloat16 operands, and over float64 ones dense and adversarial; `operands` where.
tools/write_bounds.py writes both from results/accuracy.json.
"""

from dataclasses import dataclass

COMPONENTS = ("value", "grad", "grad2")
DTYPES = ("float32", "float64", "float16", "bfloat16")

TABLE = """\
# function       component  dtype     bound  worst   operands
sigmoid          value      float32   1.0    0.9015  -0x1.763cee0000000p+2
sigmoid          value      float64   1.0    0.8379  0x1.7775748e963f4p-2
sigmoid          value      float16   0.5    0.5000  -0x1.0000000000000p-11
sigmoid          value      bfloat16  0.5    0.5000  -0x1.0000000000000p-8
sigmoid          grad       float32   1.0    0.9499  0x1.8335480000000p-2
sigmoid          grad       float64   1.0    0.8883  0x1.ed282b9524036p-2
sigmoid          grad       float16   0.5    0.5000  0x1.b300000000000p+0
sigmoid          grad       bfloat16  0.5    0.4997  0x1.e400000000000p+1
sigmoid          grad2      float32   2.5    1.8301  0x1.76802c0000000p-2
sigmoid          grad2      float64   2.5    2.1933  0x1.6bf5c6a8329d0p-2
sigmoid          grad2      float16   0.5    0.5000  0x1.0000000000000p-22
sigmoid          grad2      bfloat16  0.51   0.5000  0x1.0000000000000p-131
log_sigmoid      value      float32   1.0    0.8998  0x1.758fac0000000p+2
log_sigmoid      value      float64   1.0    0.8236  0x1.c7be888efd5e6p+8
log_sigmoid      value      float16   0.5    0.5000  0x1.0c00000000000p-14
log_sigmoid      value      bfloat16  0.5    0.5000  0x1.f400000000000p-7
log_sigmoid      grad       float32   1.0    0.9015  0x1.763cee0000000p+2
log_sigmoid      grad       float64   1.0    0.8444  -0x1.778db7512c795p-2
log_sigmoid      grad       float16   0.5    0.5000  0x1.0000000000000p-11
log_sigmoid      grad       bfloat16  0.5    0.5000  0x1.0000000000000p-8
log_sigmoid      grad2      float32   1.0    0.9499  0x1.8335480000000p-2
log_sigmoid      grad2      float64   1.0    0.8883  0x1.ed282b9524036p-2
log_sigmoid      grad2      float16   0.5    0.5000  0x1.b300000000000p+0
log_sigmoid      grad2      bfloat16  0.5    0.4997  0x1.e400000000000p+1
softplus         value      float32   1.0    0.8998  -0x1.758fac0000000p+2
softplus         value      float64   1.0    0.7823  -0x1.561171343af58p+8
softplus         value      float16   0.5    0.5000  -0x1.0c00000000000p-14
softplus         value      bfloat16  0.5    0.5000  -0x1.f400000000000p-7
softplus         grad       float32   1.0    0.9015  -0x1.763cee0000000p+2
softplus         grad       float64   1.0    0.8379  0x1.7775748e963f4p-2
softplus         grad       float16   0.5    0.5000  -0x1.0000000000000p-11
softplus         grad       bfloat16  0.5    0.5000  -0x1.0000000000000p-8
softplus         grad2      float32   1.0    0.9499  0x1.8335480000000p-2
softplus         grad2      float64   1.0    0.8883  0x1.ed282b9524036p-2
softplus         grad2      float16   0.5    0.5000  0x1.b300000000000p+0
softplus         grad2      bfloat16  0.5    0.4997  0x1.e400000000000p+1
silu             value      float32   2.0    1.7332  -0x1.51564a0000000p+4
silu             value      float64   2.0    1.4101  -0x1.ecc90bae14f35p+0
silu             value      float16   0.5    0.5000  -0x1.0000000000000p-11
silu             value      bfloat16  0.51   0.5000  0x1.0000000000000p-133
silu             grad       float32   2.5    2.4857  -0x1.a73c4c0000000p+0
silu             grad       float64   2.5    2.1355  -0x1.15b7e6af8e6f5p-15
silu             grad       float16   0.5    0.5000  -0x1.0000000000000p-12
silu             grad       bfloat16  0.5    0.5000  -0x1.0000000000000p-9
silu             grad2      float32   2.0    1.7212  0x1.3f096a0000000p+3
silu             grad2      float64   2.0    1.3793  0x1.0e15364eeff0bp+3
silu             grad2      float16   0.51   0.4998  0x1.2280000000000p-3
silu             grad2      bfloat16  0.5    0.4997  0x1.4400000000000p-2
logit            value      float32   2.0    1.5996  0x1.b449cc0000000p-2
logit            value      float64   2.0    1.8647  0x1.ace586f49f53ap-2
logit            value      float16   0.5    0.5000  0x1.2140000000000p-11
logit            value      bfloat16  0.5    0.5000  0x1.ca00000000000p-20
logit            grad       float32   1.51   1.4988  0x1.000b540000000p-24
logit            grad       float64   1.51   1.4127  0x1.33692493b01c5p-3
logit            grad       float16   0.5    0.5000  0x1.ac00000000000p-5
logit            grad       bfloat16  0.5    0.4992  0x1.7a00000000000p-11
logit            grad2      float32   0.51   0.5000  0x1.742d440000000p-5
logit            grad2      float64   0.51   0.5000  0x1.0000000000001p-27
logit            grad2      float16   0.5    0.5000  0x1.ad00000000000p-8
logit            grad2      bfloat16  0.5    0.4993  0x1.1000000000000p-5
bce_with_logits  value      float32   2.0    1.4442  -0x1.32f6ea0000000p-2 0.9
bce_with_logits  value      float64   2.0    1.3077  0x1.e56ca238099a1p-1 0.9
bce_with_logits  value      float16   0.51   0.5000  -0x1.0c00000000000p-14 0.0
bce_with_logits  value      bfloat16  0.51   0.5000  -0x1.f400000000000p-7 0.0
bce_with_logits  grad       float32   1.0    0.9015  -0x1.763cee0000000p+2 0.0
bce_with_logits  grad       float64   1.0    0.8444  -0x1.778db7512c795p-2 1.0
bce_with_logits  grad       float16   0.5    0.5000  -0x1.0000000000000p-11 0.0
bce_with_logits  grad       bfloat16  0.5    0.5000  -0x1.0000000000000p-8 0.0
bce_with_logits  grad2      float32   1.0    0.9499  0x1.8335480000000p-2 0.0
bce_with_logits  grad2      float64   1.0    0.8883  0x1.ed282b9524036p-2 0.0
bce_with_logits  grad2      float16   0.5    0.5000  0x1.b300000000000p+0 0.0
bce_with_logits  grad2      bfloat16  0.5    0.4997  0x1.e400000000000p+1 0.0
"""


@dataclass(frozen=True)
class Bound:
    """An error that is not exceeded, the worst that was found, in ULP, and the operands of that."""

    ulp: float
    worst: float
    operands: tuple[float, ...]


def _read(table: str) -> dict[str, dict[tuple[str, str], Bound]]:
    bounds: dict[str, dict[tuple[str, str], Bound]] = {}
    for line in table.splitlines()[1:]:
        name, component, dtype, ulp, worst, *operands = line.split()
        numbers = tuple(float.fromhex(o) if "x" in o else float(o) for o in operands)
        bounds.setdefault(name, {})[component, dtype] = Bound(float(ulp), float(worst), numbers)
    return bounds


BOUNDS = _read(TABLE)
