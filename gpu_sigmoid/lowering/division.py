"""float32 division on the GPU, without the branch that `div.rn` takes for special operands.

It uses Newton's iteration from the hardware's approximate reciprocal, which is off by at most one unit in
the last place (PTX ISA, `rcp.approx.ftz.f32`). Two steps give the nearest float for every denominator
except those whose mantissa is all ones, where the second step meets a tie; their reciprocal is known.
Powers of two do not change anything, so that tests/cuda/test_division.py proves this by trying all
mantissas and all values that the hardware may return. A quotient then needs one correction, exact to the
last place by Markstein's theorem (P. W. Markstein, IBM J. Res. Dev. 34, 1990, p. 111).

Denominators and quotients must be normal numbers, except for a quotient of +0.0. Otherwise the result is
unspecified, and formulas overwrite it.
"""

# {d} the denominator, y its reciprocal, n its negative
RECIPROCAL_OF_D = (
    ".reg .f32 y, n, e, q; .reg .b32 bits, zeros; .reg .pred ones; "
    "rcp.approx.ftz.f32 y, {d}; neg.f32 n, {d}; "
    "fma.rn.f32 e, n, y, 0f3F800000; fma.rn.f32 y, e, y, y; "
    "fma.rn.f32 e, n, y, 0f3F800000; fma.rn.f32 y, e, y, y; "
    "mov.b32 bits, {d}; not.b32 zeros, bits; and.b32 zeros, zeros, 0x7FFFFF; setp.eq.u32 ones, zeros, 0; "
    "sub.u32 bits, 0x7F000000, bits; mov.b32 e, bits; selp.f32 y, e, y, ones; "
)
RECIPROCAL = RECIPROCAL_OF_D.replace("{d}", "{a}") + "mov.f32 {r}, y;"
QUOTIENT = (
    RECIPROCAL_OF_D.replace("{d}", "{b}")
    + "mul.rn.f32 q, {a}, y; fma.rn.f32 e, n, q, {a}; fma.rn.f32 {r}, e, y, q;"
)
