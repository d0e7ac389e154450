"""The largest error promised for each function, and the largest found.

Errors are in units in the last place (ULP) of the correct result, subnormal results included,
against the definition in higher precision. The second derivative of silu, `bce_with_logits` and
the derivative of swiglu with respect to its first operand are differences whose terms cancel near
their zeros; their unit is the last place of the larger term. A bound of one half means that the
result is always the nearest float. For several results the bound is that of the largest error.

The error of a vector-Jacobian product is at most twice that of its derivative plus one half: the
cotangent turns an error of one last place into up to two, and the product is rounded once more.
This holds where the derivative underflows too, with these exceptions:

- From abs(x) = 174.33 on (float64: 1416.4), where exp(-abs(x)) is below 2^-251.5 (2^-2043.5), the
  product is 0, and nan for an infinite cotangent. For silu, with a beta too, it is so from 174.22 on
  (1416.34).
- Where a target and sigmoid(x) are both subnormal, their difference has lost what is below the least
  subnormal number.
- Next to the least normal number low parts underflow, which may cost half a unit more.

`glu` and `swiglu` are already such products, with an operand in place of the cotangent; with a cotangent
as well they round twice at most. The product of operand and cotangent must be below 2^244 (2^2034):
beyond that the result is infinite, even if exp(-abs(x)) is small enough for a finite one.

`worst` is the largest error that `gpu-sigmoid verify --exhaustive` found, and `operands` where: over
all float32, float16 and bfloat16 operands, and over float64 operands where results vary most or
are hardest to get right. For several float32 operands it is the largest of a sample that
accuracy.json describes and, in the rows measured last, of the operands near the worst of them.
Among 100 million values of float32 `glu` just below a power of two, where the last rounding costs a
whole unit, errors were up to 2.48; among 30 million of its vjp by the gate, up to 2.08.

tools/write_bounds.py writes `worst` and `operands` from bench/results/accuracy.json.
"""

from dataclasses import dataclass
from math import nan

TABLE = """\
# function                  mode   dtype     bound  worst   operands
sigmoid                     value  float32   1.0    0.9015  -0x1.763ceep+2
sigmoid                     value  float64   1.0    0.8379  0x1.7775748e963f4p-2
sigmoid                     value  float16   0.5    0.5000  -0x1p-11
sigmoid                     value  bfloat16  0.5    0.5000  -0x1p-8
sigmoid                     grad   float32   1.0    0.9499  0x1.833548p-2
sigmoid                     grad   float64   1.0    0.8883  0x1.ed282b9524036p-2
sigmoid                     grad   float16   0.5    0.5000  0x1.b3p+0
sigmoid                     grad   bfloat16  0.5    0.4997  0x1.e4p+1
sigmoid                     grad2  float32   2.5    1.2933  0x1.1b0a62p+4
sigmoid                     grad2  float64   2.5    1.2072  -0x1.2e3650d211557p+5
sigmoid                     grad2  float16   0.5    0.5000  0x1p-22
sigmoid                     grad2  bfloat16  0.51   0.5000  0x1p-131
sigmoid                     vjp    float32   2.0    1.7286  0x1.bbfd46p+0 0x1.f29384p+0
sigmoid                     vjp    float64   2.0    1.5788  0x1.4d3b0282a3426p+9 -0x1.69e1c589d2a79p+0
sigmoid                     vjp    float16   0.51   0.5001  0x1.858p+2 0x1.aap+0
sigmoid                     vjp    bfloat16  0.51   0.5000  0x1.2ap-1 0x1.38p+0
log_sigmoid                 value  float32   1.0    0.8998  0x1.758facp+2
log_sigmoid                 value  float64   1.0    0.8236  0x1.c7be888efd5e6p+8
log_sigmoid                 value  float16   0.5    0.5000  0x1.0cp-14
log_sigmoid                 value  bfloat16  0.5    0.5000  0x1.f4p-7
log_sigmoid                 grad   float32   1.0    0.9015  0x1.763ceep+2
log_sigmoid                 grad   float64   1.0    0.8444  -0x1.778db7512c795p-2
log_sigmoid                 grad   float16   0.5    0.5000  0x1p-11
log_sigmoid                 grad   bfloat16  0.5    0.5000  0x1p-8
log_sigmoid                 grad2  float32   1.0    0.9499  0x1.833548p-2
log_sigmoid                 grad2  float64   1.0    0.8883  0x1.ed282b9524036p-2
log_sigmoid                 grad2  float16   0.5    0.5000  0x1.b3p+0
log_sigmoid                 grad2  bfloat16  0.5    0.4997  0x1.e4p+1
log_sigmoid                 vjp    float32   2.5    1.9981  -0x1.090a06p-9 -0x1.ff78cap+0
log_sigmoid                 vjp    float64   2.5    1.9559  -0x1.94e5d789c4cfep-17 0x1.fff386e69e563p+0
log_sigmoid                 vjp    float16   0.51   0.5002  -0x1.b74p-6 0x1.ee4p+0
log_sigmoid                 vjp    bfloat16  0.51   0.5000  -0x1.88p-2 0x1.38p+0
softplus                    value  float32   1.0    0.8998  -0x1.758facp+2
softplus                    value  float64   1.0    0.7823  -0x1.561171343af58p+8
softplus                    value  float16   0.5    0.5000  -0x1.0cp-14
softplus                    value  bfloat16  0.5    0.5000  -0x1.f4p-7
softplus                    grad   float32   1.0    0.9015  -0x1.763ceep+2
softplus                    grad   float64   1.0    0.8379  0x1.7775748e963f4p-2
softplus                    grad   float16   0.5    0.5000  -0x1p-11
softplus                    grad   bfloat16  0.5    0.5000  -0x1p-8
softplus                    grad2  float32   1.0    0.9499  0x1.833548p-2
softplus                    grad2  float64   1.0    0.8883  0x1.ed282b9524036p-2
softplus                    grad2  float16   0.5    0.5000  0x1.b3p+0
softplus                    grad2  bfloat16  0.5    0.4997  0x1.e4p+1
softplus                    vjp    float32   2.5    2.4324  0x1.91ed42p-5 -0x1.f3be3p+0
softplus                    vjp    float64   2.5    1.9421  0x1.32bd0d684a80ep-24 0x1.fff8bec9732c4p+0
softplus                    vjp    float16   0.51   0.5002  0x1.b74p-6 0x1.ee4p+0
softplus                    vjp    bfloat16  0.51   0.5000  0x1.88p-2 0x1.38p+0
softplus_beta               value  float32   2.5    2.3424  0x1.5c6df2p-17 -0x1.a14acep+22
softplus_beta               value  float64   2.5    1.1052  -0x1.46d1a324eeed9p+8 0x1.b2858065e422cp-7
softplus_beta               value  float16   0.51   0.5001  0x1.71p-1 -0x1.fep+1
softplus_beta               value  bfloat16  0.51   0.5000  -0x1.72p-48 0x1.0cp+29
softplus_beta               grad   float32   1.5    1.0484  0x1.e89f32p+32 -0x1.47eb46p-28
softplus_beta               grad   float64   1.5    0.8646  -0x1.1ce22c7addd82p+9 -0x1.4941f3d8d300bp-11
softplus_beta               grad   float16   0.51   0.5001  -0x1.884p+8 -0x1.01p-10
softplus_beta               grad   bfloat16  0.51   0.5000  -0x1p-70 0x1p+62
softplus_beta               grad2  float32   2.5    1.8874  0x1.195db2p-27 0x1.53f1fap+29
softplus_beta               grad2  float64   2.5    1.3899  -0x1p-196 -0x1.6d523ebb90afp+203
softplus_beta               grad2  float16   0.51   0.5002  -0x1.128p+3 0x1.a4cp-3
softplus_beta               grad2  bfloat16  0.51   0.5000  -0x1.58p+12 -0x1.4ap-14
softplus_beta               vjp    float32   2.5    1.9996  0x1.4f5ed2p-38 0x1.085a3ep+26 -0x1.ffe85cp+0
softplus_beta               vjp    float64   2.5    1.8769  -0x1.8000e7de4c0b1p+8 -0x1.135ee06bae8b3p-15 -0x1.ee589d79b23ebp+0
softplus_beta               vjp    float16   0.51   0.5002  -0x1.9fcp-11 -0x1.b2cp+2 -0x1.fe8p+0
softplus_beta               vjp    bfloat16  0.51   0.5000  0x1.5ep-56 0x1.06p+57 -0x1.0ep+0
silu                        value  float32   2.0    1.7332  -0x1.51564ap+4
silu                        value  float64   2.0    1.4101  -0x1.ecc90bae14f35p+0
silu                        value  float16   0.5    0.5000  -0x1p-11
silu                        value  bfloat16  0.51   0.5000  0x1p-133
silu                        grad   float32   2.5    2.4857  -0x1.a73c4cp+0
silu                        grad   float64   2.5    2.1355  -0x1.15b7e6af8e6f5p-15
silu                        grad   float16   0.5    0.5000  -0x1p-12
silu                        grad   bfloat16  0.5    0.5000  -0x1p-9
silu                        grad2  float32   2.0    1.7212  0x1.3f096ap+3
silu                        grad2  float64   2.0    1.3793  0x1.0e15364eeff0bp+3
silu                        grad2  float16   0.51   0.4998  0x1.228p-3
silu                        grad2  bfloat16  0.5    0.4997  0x1.44p-2
silu                        vjp    float32   4.0    3.5610  0x1.540fp-12 -0x1.ffc3dp+0
silu                        vjp    float64   4.0    3.4867  0x1.a830cc9aa4f33p-41 -0x1.f639dd5d44bfbp+0
silu                        vjp    float16   0.51   0.5002  0x1.16p-4 0x1.d6p+0
silu                        vjp    bfloat16  0.51   0.5000  0x1p-7 0x1.8p+0
silu_beta                   value  float32   2.5    1.9816  0x1.4a4d48p-48 -0x1.08956p+51
silu_beta                   value  float64   2.5    1.2573  0x1.7e9e03ae5c677p+4 -0x1.b333333333333p+0
silu_beta                   value  float16   0.51   0.5002  0x1.47cp+14 -0x1.c9p-11
silu_beta                   value  bfloat16  0.51   0.5000  -0x1.aap-9 0x1.aap+6
silu_beta                   grad   float32   2.5    2.1067  0x1.956a4p-10 -0x1.b33334p+0
silu_beta                   grad   float64   2.5    2.0054  0x1.fffffffffffffp-384 -0x1.de835b015f37bp+354
silu_beta                   grad   float16   0.51   0.5002  -0x1.bf8p-6 0x1.25p-7
silu_beta                   grad   bfloat16  0.51   0.5000  0x1.64p-3 -0x1.1p+3
silu_beta                   grad2  float32   2.5    1.9594  0x1.d41adcp-58 -0x1.2c518cp+60
silu_beta                   grad2  float64   2.5    1.3493  -0x1.0000000000001p-69 0x1.108b6cbe4d07ap+71
silu_beta                   grad2  float16   0.51   0.5001  0x1.f6p+4 0x1.38cp-2
silu_beta                   grad2  bfloat16  0.51   0.5000  0x1.a4p+11 -0x1.bcp-6
silu_beta                   vjp    float32   4.0    3.0769  0x1.c026dcp-67 0x1p+62 0x1.e571b8p+0
silu_beta                   vjp    float64   4.0    3.2468  0x1.62e6666666667p+9 0x1.273b4901b9b2ep-42 -0x1.ecfdf73453264p+0
silu_beta                   vjp    float16   0.51   0.5002  0x1.5bcp+0 -0x1.7c4p-1 0x1.cbp+0
silu_beta                   vjp    bfloat16  0.51   0.5000  -0x1.4cp-4 -0x1.5cp-2 0x1.d8p+0
tanh                        value  float32   1.0    0.9256  0x1.df0aa8p-1
tanh                        value  float64   1.0    0.8711  0x1.dc7129bf14cc6p-1
tanh                        value  float16   0.5    0.4999  0x1.d14p-6
tanh                        value  bfloat16  0.5    0.4984  0x1.72p-4
tanh                        grad   float32   2.5    1.9641  0x1.0a3caep+4
tanh                        grad   float64   2.5    1.5481  -0x1.3687a9f1af2b1p+2
tanh                        grad   float16   0.5    0.5000  0x1.b3p-1
tanh                        grad   bfloat16  0.5    0.4997  0x1.e4p+0
tanh                        grad2  float32   2.5    1.2933  0x1.1b0a62p+3
tanh                        grad2  float64   2.5    1.0809  0x1.78231e8a1ec14p-3
tanh                        grad2  float16   0.5    0.4999  0x1.e84p-1
tanh                        grad2  bfloat16  0.5    0.4993  0x1.3ep+3
tanh                        vjp    float32   3.5    2.9521  0x1.41964p+3 -0x1.fec3e6p+0
tanh                        vjp    float64   3.5    1.8981  0x1.3f8a752944d29p+8 0x1.fe05b28962f91p+0
tanh                        vjp    float16   0.51   0.5002  0x1.bc4p-1 0x1.ee8p+0
tanh                        vjp    bfloat16  0.51   0.5000  0x1.2ap+5 0x1.b2p+0
logit                       value  float32   2.0    1.5996  0x1.b449ccp-2
logit                       value  float64   2.0    1.8647  0x1.ace586f49f53ap-2
logit                       value  float16   0.5    0.5000  0x1.214p-11
logit                       value  bfloat16  0.5    0.5000  0x1.cap-20
logit                       grad   float32   1.51   1.4988  0x1.000b54p-24
logit                       grad   float64   1.51   1.4127  0x1.33692493b01c5p-3
logit                       grad   float16   0.5    0.5000  0x1.acp-5
logit                       grad   bfloat16  0.5    0.4992  0x1.7ap-11
logit                       grad2  float32   0.51   0.5000  0x1.742d44p-5
logit                       grad2  float64   0.51   0.5000  0x1.0000000000001p-27
logit                       grad2  float16   0.5    0.5000  0x1.adp-8
logit                       grad2  bfloat16  0.5    0.4993  0x1.1p-5
logit                       vjp    float32   2.5    1.9769  0x1.c0fdp-2 0x1.f82ab4p+0
logit                       vjp    float64   2.5    1.9831  0x1.000082e44765p-1 -0x1.fffeafe1c4db3p+0
logit                       vjp    float16   0.51   0.5002  0x1.07p-14 0x1.054p+0
logit                       vjp    bfloat16  0.51   0.5000  0x1.c2p-5 0x1.66p+0
log1mexp                    value  float32   1.5    1.2575  -0x1.04a868p+4
log1mexp                    value  float64   1.5    0.9820  -0x1.3348733225e95p+0
log1mexp                    value  float16   0.5    0.4998  -0x1.ec4p+3
log1mexp                    value  bfloat16  0.5    0.5000  -0x1.d8p-53
log1mexp                    grad   float32   1.5    1.3551  -0x1.0fb32cp+4
log1mexp                    grad   float64   1.5    0.9993  -0x1.31870c1de80e7p-54
log1mexp                    grad   float16   0.5    0.5000  -0x1.6d8p-6
log1mexp                    grad   bfloat16  0.5    0.5000  -0x1.fep-16
log1mexp                    grad2  float32   2.0    1.2070  -0x1.6a0a1cp-25
log1mexp                    grad2  float64   2.0    1.1879  -0x1.6e884f4edba29p-54
log1mexp                    grad2  float16   0.5    0.4999  -0x1.62cp-7
log1mexp                    grad2  bfloat16  0.5    0.4996  -0x1.68p-1
log1mexp                    vjp    float32   3.0    1.9779  -0x1.12353ep+4 0x1.a53e02p+0
log1mexp                    vjp    float64   3.0    1.5737  -0x1.0e01c110a4b0cp+0 0x1.df03affa8f2a1p+0
log1mexp                    vjp    float16   0.51   0.5002  -0x1.aep-3 0x1.d8cp+0
log1mexp                    vjp    bfloat16  0.51   0.5000  -0x1.aep+1 0x1.b8p+0
softplus_inverse            value  float32   1.5    1.4581  0x1.a4b70ep-1
softplus_inverse            value  float64   1.5    1.1373  0x1.00000067b2c6bp-1
softplus_inverse            value  float16   0.5    0.4999  0x1.094p+0
softplus_inverse            value  bfloat16  0.5    0.5000  0x1.d8p-53
softplus_inverse            grad   float32   1.5    1.0015  0x1.411ba6p+0
softplus_inverse            grad   float64   1.5    0.8706  0x1.62e42fefa39eep+0
softplus_inverse            grad   float16   0.5    0.5000  0x1.6d8p-6
softplus_inverse            grad   bfloat16  0.5    0.4998  0x1.c6p-4
softplus_inverse            grad2  float32   2.0    1.2070  0x1.6a0a1cp-25
softplus_inverse            grad2  float64   2.0    1.1879  0x1.6e884f4edba29p-54
softplus_inverse            grad2  float16   0.5    0.4999  0x1.62cp-7
softplus_inverse            grad2  bfloat16  0.5    0.4996  0x1.68p-1
softplus_inverse            vjp    float32   3.0    2.5189  0x1.f99dcep-25 0x1.f99dccp+0
softplus_inverse            vjp    float64   3.0    2.2117  0x1.f8813b12ae11fp-54 0x1.f878343af80d3p+0
softplus_inverse            vjp    float16   0.51   0.5002  0x1.61cp-1 0x1.f7p+0
softplus_inverse            vjp    bfloat16  0.51   0.5000  0x1.1p-4 0x1.94p+0
bce_with_logits             value  float32   2.0    1.9212  0x1.45c554p-2 -0x1.ba5142p+1
bce_with_logits             value  float64   2.0    1.5687  0x1.2b4251e1ffe18p+2 -0x1.effabbfc06689p+1
bce_with_logits             value  float16   0.51   0.5000  -0x1.624p-14 0x1.f34p-4
bce_with_logits             value  bfloat16  0.51   0.5000  0x1.cep-12 0x1.2ep-6
bce_with_logits             grad   float32   2.0    1.7666  0x1.c5c5bp-1 -0x1.0de824p-2
bce_with_logits             grad   float64   2.0    1.6248  0x1.000009764690ep-1 -0x1.3387687c094dfp+0
bce_with_logits             grad   float16   0.51   0.5000  -0x1.8b8p+1 0x1.a9p-16
bce_with_logits             grad   bfloat16  0.51   0.5000  -0x1.26p-2 0x1.92p-21
bce_with_logits             grad2  float32   1.0    0.9499  0x1.833548p-2 0x0p+0
bce_with_logits             grad2  float64   1.0    0.8883  0x1.ed282b9524036p-2 0x0p+0
bce_with_logits             grad2  float16   0.5    0.5000  0x1.b3p+0 0x0p+0
bce_with_logits             grad2  bfloat16  0.5    0.4997  0x1.e4p+1 0x0p+0
bce_with_logits             vjp    float32   3.5    2.9940  0x1.aa9a1ap-9 0x1.95p-17 0x1.ff188ep+0
bce_with_logits             vjp    float64   3.0    1.7125  0x1.d6f6a595d4825p-3 0x1.ab90038a27cp-11 0x1.a098f03470a1ap+0
bce_with_logits             vjp    float16   0.51   0.5000  -0x1p-11 0x1.23p-3 0x1p+0
bce_with_logits             vjp    bfloat16  0.51   0.5000  0x1.4cp-119 0x1.cp-3 -0x1.fp+0
bce_with_logits_pos_weight  value  float32   2.5    1.9420  0x1.1a9b22p-13 0x1.9b7bc4p-1 0x1.a5a5bep+7
bce_with_logits_pos_weight  value  float64   2.5    1.5831  -0x1.fffffffffffffp-22 0x1.55554e38e397bp-2 0x1p+1
bce_with_logits_pos_weight  value  float16   0.51   0.5000  -0x1.0cp-14 0x0p+0 0x1.ba8p+7
bce_with_logits_pos_weight  value  bfloat16  0.51   0.5004  -0x1.12p+7 0x1p-131 0x1.dep-11
bce_with_logits_pos_weight  grad   float32   2.5    2.3257  0x1.781a1cp+2 0x1.5b93b2p-2 0x1.b95ae6p+9
bce_with_logits_pos_weight  grad   float64   2.5    1.4503  -0x1.b6dd734673cccp-27 0x1.a0a3c30b5846p-2 0x1.15f5e0e007cfcp+5
bce_with_logits_pos_weight  grad   float16   0.51   0.5000  -0x1p-11 0x0p+0 0x0p+0
bce_with_logits_pos_weight  grad   bfloat16  0.51   0.5000  -0x1p-8 0x0p+0 0x1.0ap+5
bce_with_logits_pos_weight  grad2  float32   2.5    1.7089  0x1.ad79cep+0 0x1.d44f94p-4 0x1.9af762p-2
bce_with_logits_pos_weight  grad2  float64   2.5    1.5509  0x1.732e2922e3617p+8 0x1.fae2a2acd74ep-1 0x1.13be5d6e35b84p-10
bce_with_logits_pos_weight  grad2  float16   0.51   0.5000  0x1.b3p+0 0x0p+0 0x1.c4p-12
bce_with_logits_pos_weight  grad2  bfloat16  0.51   0.5000  0x1.f4p-25 0x1p-2 0x1.f4p+8
bce_with_logits_pos_weight  vjp    float32   4.5    3.5389  -0x1.4417aap-19 0x1.4fad78p-2 0x1.95db1cp+7 -0x1.e44174p-114
bce_with_logits_pos_weight  vjp    float64   4.5    1.6227  0x1.fffffffffffffp-999 0x1.ea94ab8740634p-1 0x1.2335b02a49c67p+3 -0x1.bfd48b7a086f4p-889
bce_with_logits_pos_weight  vjp    float16   0.51   0.5003  0x1.2bcp+3 0x1.ddp-2 0x1.7c4p-3 -0x1.dep+0
bce_with_logits_pos_weight  vjp    bfloat16  0.51   0.5000  0x1.b6p-86 0x1.74p-2 0x1.62p+9 0x1.c4p+0
glu                         value  float32   2.5    1.9984  -0x1.ff9deep+0 0x1.62f404p-10
glu                         value  float64   2.5    1.9401  -0x1.fc96f530da047p+0 0x1.58972ae85d278p-29
glu                         value  float16   0.51   0.5007  0x1.c1p+0 -0x1.8ap+2
glu                         value  bfloat16  0.51   0.5001  0x1.b6p+0 -0x1.6ep+5
glu                         grad   float32   2.5    1.7873  -0x1.af7112p+0 0x1.377604p+1
glu                         grad   float64   2.5    1.4877  0x1.5895acd8e5ea8p+0 -0x1.e00121d5df0ddp+8
glu                         grad   float16   0.51   0.5007  0x1.ddp+0 0x1.948p+2
glu                         grad   bfloat16  0.51   0.5001  0x1.b6p+0 0x1.6ep+5
glu                         grad2  float32   2.5    2.0669  0x1.6d4e7p+0 0x1.1af2a4p+4
glu                         grad2  float64   2.5    1.2072  0x1p+0 0x1.2e3650d211557p+5
glu                         grad2  float16   0.51   0.5001  0x1p+0 0x1.62p-1
glu                         grad2  bfloat16  0.51   0.5000  0x1p+1 0x1p-132
glu                         vjp    float32   3.0    1.9995  0x1.12867cp+0 0x1.9fap-13 -0x1.ffd89ep+0
glu                         vjp    float64   3.0    1.8297  0x1.c985d0fd8d63p+0 0x1.fffffffffffffp-3 -0x1.c75f162c6371p+0
glu                         vjp    float16   0.51   0.5009  0x1.26cp+0 0x1.efcp+2 -0x1.e5cp+0
glu                         vjp    bfloat16  0.51   0.5003  0x1.06p+71 0x1.4ap+7 -0x1.82p+107
swiglu                      value  float32   2.5    2.0979  -0x1.792504p+2 -0x1.eae5f2p-108
swiglu                      value  float64   2.5    1.4821  -0x1.fc6c67ac8fa8p+8 -0x1.6c95907d3facp+0
swiglu                      value  float16   0.51   0.5015  -0x1.29cp+4 -0x1.7bcp+9
swiglu                      value  bfloat16  0.51   0.5004  -0x1.cep+6 -0x1.aep+83
swiglu                      grad   float32   3.0    2.2066  -0x1.1050a6p+4 0x1.615586p+20
swiglu                      grad   float64   3.0    1.4579  -0x1.f0ac3753b1c3p+0 0x1p+0
swiglu                      grad   float16   0.51   0.5015  -0x1.15p+4 -0x1.b7p+12
swiglu                      grad   bfloat16  0.51   0.5010  -0x1.1ep+7 0x1.b8p+85
swiglu                      grad2  float32   2.5    1.9137  -0x1.46cc3ap+2 0x1p+0
swiglu                      grad2  float64   2.5    1.2008  -0x1.0a2b23f3bab74p+2 0x1p+0
swiglu                      grad2  float16   0.51   0.5001  -0x1.08cp+3 0x1.a14p-2
swiglu                      grad2  bfloat16  0.51   0.5000  -0x1p-9 0x1p+0
swiglu                      vjp    float32   3.0    2.2738  -0x1.1020a8p+4 0x1.fe7b08p+0 0x1.5e6e7p+0
swiglu                      vjp    float64   3.0    1.4642  -0x1.d7afc8b64138p+8 0x1.fc1d5fecfcbecp+0 0x1.78be397045fdp+0
swiglu                      vjp    float16   0.51   0.5013  -0x1.2d8p+4 0x1p-22 0x1.798p+10
swiglu                      vjp    bfloat16  0.51   0.5004  -0x1.d4p+6 0x1.acp+81 -0x1p+72
"""


@dataclass(frozen=True)
class Bound:
    """An error that is not exceeded, the worst that was found, in ULP, and the operands of that.

    A function just added has been measured nowhere: worst is nan.
    """

    ulp: float
    worst: float
    operands: tuple[float, ...]


def _read(table: str) -> dict[str, dict[tuple[str, str], Bound]]:
    bounds: dict[str, dict[tuple[str, str], Bound]] = {}
    for line in table.splitlines()[1:]:
        name, mode, dtype, ulp, *found = line.split()
        worst = float(found[0]) if found else nan
        bounds.setdefault(name, {})[mode, dtype] = Bound(
            float(ulp), worst, tuple(map(float.fromhex, found[1:]))
        )
    return bounds


BOUNDS = _read(TABLE)


def bounds_of(name: str) -> dict[tuple[str, str], Bound]:
    """Return a function's bounds by mode and dtype."""
    if name not in BOUNDS:
        raise LookupError(f"gpu_sigmoid/bounds.py has no line of {name}: add one for each mode and dtype")
    return BOUNDS[name]
