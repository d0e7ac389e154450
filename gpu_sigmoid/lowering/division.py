"""float32 division on the GPU, without the branch that `div.rn` takes for special operands.

Newton's iteration from the hardware's approximate reciprocal, which is off by one unit in
the last place at most (PTX ISA, `rcp.approx.ftz.f32`). Two steps give the nearest float for
every denominator but those whose mantissa is all ones, where the second one meets a tie;
their reciprocal is known. Scaled by powers of two everything stays the same, so that
tests/cuda/test_division.py proves it by trying all mantissas and all that the hardware may
return. A quotient then takes one correction, exact to the last place by Markstein's theorem
(P. W. Markstein, IBM J. Res. Dev. 34, 1990, p. 111).

Denominators and quotients must be normal numbers, but for a quotient of +0.0; else the
result is unspecified. Formulas overwrite it then.
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
