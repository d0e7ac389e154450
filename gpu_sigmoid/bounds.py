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
# function component dtype bound worst operands
sigmoid value float32 1.0 0 0x0p+0
sigmoid value float64 1.0 0 0x0p+0
sigmoid value float16 0.5 0 0x0p+0
sigmoid value bfloat16 0.5 0 0x0p+0
sigmoid grad float32 1.0 0 0x0p+0
sigmoid grad float64 1.0 0 0x0p+0
sigmoid grad float16 0.5 0 0x0p+0
sigmoid grad bfloat16 0.5 0 0x0p+0
sigmoid grad2 float32 2.5 0 0x0p+0
sigmoid grad2 float64 2.5 0 0x0p+0
sigmoid grad2 float16 0.5 0 0x0p+0
sigmoid grad2 bfloat16 0.51 0 0x0p+0
log_sigmoid value float32 1.0 0 0x0p+0
log_sigmoid value float64 1.0 0 0x0p+0
log_sigmoid value float16 0.5 0 0x0p+0
log_sigmoid value bfloat16 0.5 0 0x0p+0
log_sigmoid grad float32 1.0 0 0x0p+0
log_sigmoid grad float64 1.0 0 0x0p+0
log_sigmoid grad float16 0.5 0 0x0p+0
log_sigmoid grad bfloat16 0.5 0 0x0p+0
log_sigmoid grad2 float32 1.0 0 0x0p+0
log_sigmoid grad2 float64 1.0 0 0x0p+0
log_sigmoid grad2 float16 0.5 0 0x0p+0
log_sigmoid grad2 bfloat16 0.5 0 0x0p+0
softplus value float32 1.0 0 0x0p+0
softplus value float64 1.0 0 0x0p+0
softplus value float16 0.5 0 0x0p+0
softplus value bfloat16 0.5 0 0x0p+0
softplus grad float32 1.0 0 0x0p+0
softplus grad float64 1.0 0 0x0p+0
softplus grad float16 0.5 0 0x0p+0
softplus grad bfloat16 0.5 0 0x0p+0
softplus grad2 float32 1.0 0 0x0p+0
softplus grad2 float64 1.0 0 0x0p+0
softplus grad2 float16 0.5 0 0x0p+0
softplus grad2 bfloat16 0.5 0 0x0p+0
silu value float32 2.0 0 0x0p+0
silu value float64 2.0 0 0x0p+0
silu value float16 0.5 0 0x0p+0
silu value bfloat16 0.51 0 0x0p+0
silu grad float32 1.5 0 0x0p+0
silu grad float64 1.5 0 0x0p+0
silu grad float16 0.5 0 0x0p+0
silu grad bfloat16 0.5 0 0x0p+0
silu grad2 float32 2.0 0 0x0p+0
silu grad2 float64 2.0 0 0x0p+0
silu grad2 float16 0.51 0 0x0p+0
silu grad2 bfloat16 0.5 0 0x0p+0
logit value float32 2.0 0 0x0p+0
logit value float64 2.0 0 0x0p+0
logit value float16 0.5 0 0x0p+0
logit value bfloat16 0.5 0 0x0p+0
logit grad float32 0.51 0 0x0p+0
logit grad float64 0.51 0 0x0p+0
logit grad float16 0.5 0 0x0p+0
logit grad bfloat16 0.5 0 0x0p+0
logit grad2 float32 0.51 0 0x0p+0
logit grad2 float64 0.51 0 0x0p+0
logit grad2 float16 0.5 0 0x0p+0
logit grad2 bfloat16 0.5 0 0x0p+0
bce_with_logits value float32 2.0 0 0x0p+0
bce_with_logits value float64 2.0 0 0x0p+0
bce_with_logits value float16 0.51 0 0x0p+0
bce_with_logits value bfloat16 0.51 0 0x0p+0
bce_with_logits grad float32 1.0 0 0x0p+0
bce_with_logits grad float64 1.0 0 0x0p+0
bce_with_logits grad float16 0.5 0 0x0p+0
bce_with_logits grad bfloat16 0.5 0 0x0p+0
bce_with_logits grad2 float32 1.0 0 0x0p+0
bce_with_logits grad2 float64 1.0 0 0x0p+0
bce_with_logits grad2 float16 0.5 0 0x0p+0
bce_with_logits grad2 bfloat16 0.5 0 0x0p+0
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
