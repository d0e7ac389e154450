"""LLVM IR that instructions call."""

INTEGERS = (8, 16, 32, 64)
FLOATS = {"f32": "float", "f64": "double"}


def declarations() -> str:
    """Return the declarations of LLVM's intrinsics."""
    lines = [f"declare void @llvm.memset.p0.i{n}(ptr, i8, i{n}, i1)" for n in (32, 64)]
    lines.append("declare double @llvm.fabs.f64(double)")
    for kind, name in FLOATS.items():
        lines.append(f"declare {name} @llvm.fma.{kind}({name}, {name}, {name})")
        for function in ("sqrt", "roundeven", "trunc", "floor", "ceil"):
            lines.append(f"declare {name} @llvm.{function}.{kind}({name})")
        for to in ("si", "ui"):
            lines += [f"declare i{n} @llvm.fpto{to}.sat.i{n}.{kind}({name})" for n in INTEGERS]
    for n in (32, 64):
        lines += [f"declare i{n} @llvm.{function}.i{n}(i{n})" for function in ("ctpop", "bitreverse")]
        lines.append(f"declare i{n} @llvm.ctlz.i{n}(i{n}, i1)")
    lines += [f"declare i64 @llvm.{function}.i64(i64, i64)" for function in ("smin", "smax", "umin")]
    return "\n".join(lines)


PRELUDE = (
    declarations()
    + """
; a zero of its sign for a subnormal
define internal float @flushed(float %x) alwaysinline {
  %bits = bitcast float %x to i32
  %magnitude = and i32 %bits, 2147483647
  %small = icmp ult i32 %magnitude, 8388608
  %sign = and i32 %bits, -2147483648
  %result = select i1 %small, i32 %sign, i32 %bits
  %float = bitcast i32 %result to float
  ret float %float
}
; the one nan that the GPU's arithmetic gives, whatever went in; told by its bits, since LLVM takes
; all nans for one and drops a choice between them
define internal float @canonical.f32(float %x) alwaysinline {
  %bits = bitcast float %x to i32
  %magnitude = and i32 %bits, 2147483647
  %nan = icmp ugt i32 %magnitude, 2139095040
  %result = select i1 %nan, i32 2147483647, i32 %bits
  %float = bitcast i32 %result to float
  ret float %float
}
define internal half @canonical.f16(half %x) alwaysinline {
  %bits = bitcast half %x to i16
  %magnitude = and i16 %bits, 32767
  %nan = icmp ugt i16 %magnitude, 31744
  %result = select i1 %nan, i16 32767, i16 %bits
  %half = bitcast i16 %result to half
  ret half %half
}
; so many units in the last place away; what is zero, infinite, nan or a power of two is exact
define internal float @displaced(float %x, i32 %units) alwaysinline {
  %bits = bitcast float %x to i32
  %exponent = and i32 %bits, 2139095040
  %significand = and i32 %bits, 8388607
  %power = icmp eq i32 %significand, 0
  %small = icmp eq i32 %exponent, 0
  %special = icmp eq i32 %exponent, 2139095040
  %moved = add i32 %bits, %units
  %exact0 = or i1 %power, %small
  %exact = or i1 %exact0, %special
  %result = select i1 %exact, i32 %bits, i32 %moved
  %float = bitcast i32 %result to float
  ret float %float
}
; of the two floats around a double that is none, the one whose last bit is 1
define internal float @rounded.to.odd(double %x) alwaysinline {
  %near = fptrunc double %x to float
  %bits = bitcast float %near to i32
  %back = fpext float %near to double
  %back.magnitude = call double @llvm.fabs.f64(double %back)
  %magnitude = call double @llvm.fabs.f64(double %x)
  %below = fcmp olt double %back.magnitude, %magnitude
  %above = fcmp ogt double %back.magnitude, %magnitude
  %inexact = or i1 %below, %above
  %last = trunc i32 %bits to i1
  %even = xor i1 %last, true
  %moves = and i1 %inexact, %even
  %away = add i32 %bits, 1
  %inwards = sub i32 %bits, 1
  %other = select i1 %below, i32 %away, i32 %inwards
  %result = select i1 %moves, i32 %other, i32 %bits
  %float = bitcast i32 %result to float
  ret float %float
}
; bfloat16 to nearest, ties to even
define internal i16 @rounded.bf16(i32 %bits) alwaysinline {
  %upper = lshr i32 %bits, 16
  %odd = and i32 %upper, 1
  %half = add i32 %bits, 32767
  %sum = add i32 %half, %odd
  %magnitude = and i32 %bits, 2147483647
  %nan = icmp ugt i32 %magnitude, 2139095040
  %result = select i1 %nan, i32 2147418112, i32 %sum
  %high = lshr i32 %result, 16
  %bf16 = trunc i32 %high to i16
  ret i16 %bf16
}
"""
)
