"""The operations a formula may use, each with its spelling on every target.

Every operation is exact or correctly rounded according to IEEE 754, so that a formula gives the same bits
wherever it runs. Contraction of `a * b + c` and flushing of subnormals would break that, and no spelling
here allows them. LLVM does neither unless told to. CUDA compilers do both (CuPy always passes -ftz=true),
except to PTX instructions that specify their rounding and not `.ftz`; hence the inline PTX. Division on
the GPU has a smaller domain (`division`).

A signature lists the kinds of the operands and of the result: `f` a float, `i` an
unsigned integer of the float's width, `b` a truth value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpu_sigmoid.lowering import division

Emit = Callable[..., Any]


@dataclass(frozen=True)
class Primitive:
    """One operation on operands of given kinds."""

    name: str
    signature: str
    llvm: Emit
    """Emits the operation: called with an llvmlite builder and the operands."""
    cxx: str
    """A C++ expression of a, b, c. On the host this is the operation."""
    ptx: str
    """The GPU's instruction; {f} stands for the float type, {w} for a word of its width."""
    ptx_f32: str | None = None
    """Several instructions that replace it in float32; {r}, {a}, {b} are the result and the
    operands."""
    alterable: bool = True
    """Whether a CUDA compiler may alter the C++ expression, so that the instruction is used instead."""

    @property
    def operands(self) -> str:
        return self.signature.partition("->")[0]

    @property
    def result(self) -> str:
        return self.signature.partition("->")[2]

    def instructions(self, ptx_type: str, result: str, operands: list[str]) -> str:
        """Return the instruction that computes `result`, a predicate for a truth value."""
        if self.ptx_f32 and ptx_type == "f32":
            return f"{{ {self.ptx_f32.format(r=result, **dict(zip('ab', operands, strict=False)))} }}"
        if self.name == "where":
            # PTX has the predicate last
            operands = operands[1:] + operands[:1]
        instruction = self.ptx.format(f=ptx_type, w=ptx_type[1:])
        return f"{instruction} {', '.join([result, *operands])};"

    def inline_ptx(self, ptx_type: str, sigil: str) -> str:
        """Return the instruction as inline PTX, with `sigil` and a number for each slot, 0 the result's.

        Inline PTX cannot return a predicate, so a truth value is returned as a 32-bit integer.
        """
        slots = [f"{sigil}{i + 1}" for i in range(len(self.operands))]
        if self.result == "b":
            comparison = self.instructions(ptx_type, "p", slots)
            return f"{{ .reg .pred p; {comparison} selp.u32 {sigil}0, 1, 0, p; }}"
        return self.instructions(ptx_type, f"{sigil}0", slots)


def method(name: str) -> Emit:
    return lambda builder, *operands: getattr(builder, name)(*operands)


def ordered(comparison: str) -> Emit:
    """Compare floats; false where one is NaN."""
    return lambda builder, a, b: builder.fcmp_ordered(comparison, a, b)


def unsigned(comparison: str) -> Emit:
    return lambda builder, a, b: builder.icmp_unsigned(comparison, a, b)


def element(type: Any) -> Any:
    """Return the type of a scalar, or of a vector's elements."""
    return getattr(type, "element", type)


def shaped(scalar: Any, like: Any) -> Any:
    """Return the scalar type, or the vector type if `like` is a vector."""
    from llvmlite import ir

    return ir.VectorType(scalar, like.count) if isinstance(like, ir.VectorType) else scalar


def float_to_bits(builder: Any, a: Any) -> Any:
    from llvmlite import ir

    return builder.bitcast(a, shaped(ir.IntType(32 if element(a.type) == ir.FloatType() else 64), a.type))


def bits_to_float(builder: Any, a: Any) -> Any:
    from llvmlite import ir

    floating = ir.FloatType() if element(a.type).width == 32 else ir.DoubleType()
    return builder.bitcast(a, shaped(floating, a.type))


def reciprocal(builder: Any, a: Any) -> Any:
    return builder.fdiv(a.type(1.0), a)


def fabs(builder: Any, a: Any) -> Any:
    from llvmlite import ir

    lanes = f"v{a.type.count}" if isinstance(a.type, ir.VectorType) else ""
    name = f"llvm.fabs.{lanes}{element(a.type).intrinsic_name}"
    return builder.call(builder.module.declare_intrinsic(name, (), ir.FunctionType(a.type, [a.type])), [a])


PRIMITIVES = (
    Primitive("add", "ff->f", method("fadd"), "a + b", "add.rn.{f}"),
    Primitive("sub", "ff->f", method("fsub"), "a - b", "sub.rn.{f}"),
    Primitive("mul", "ff->f", method("fmul"), "a * b", "mul.rn.{f}"),
    Primitive("div", "ff->f", method("fdiv"), "a / b", "div.rn.{f}", division.QUOTIENT),
    Primitive("reciprocal", "f->f", reciprocal, "1 / a", "rcp.rn.{f}", division.RECIPROCAL),
    Primitive("fma", "fff->f", method("fma"), "std::fma(a, b, c)", "fma.rn.{f}"),
    Primitive("neg", "f->f", method("fneg"), "-a", "neg.{f}"),
    Primitive("abs", "f->f", fabs, "std::fabs(a)", "abs.{f}"),
    Primitive("lt", "ff->b", ordered("<"), "a < b", "setp.lt.{f}"),
    Primitive("le", "ff->b", ordered("<="), "a <= b", "setp.le.{f}"),
    Primitive("eq", "ff->b", ordered("=="), "a == b", "setp.eq.{f}"),
    Primitive("where", "bff->f", method("select"), "a ? b : c", "selp.{f}", alterable=False),
    Primitive("where", "bii->i", method("select"), "a ? b : c", "selp.b{w}", alterable=False),
    Primitive("bits", "f->i", float_to_bits, "bit_cast<I>(a)", "mov.b{w}", alterable=False),
    Primitive("from_bits", "i->f", bits_to_float, "bit_cast<F>(a)", "mov.b{w}", alterable=False),
    Primitive("add", "ii->i", method("add"), "a + b", "add.u{w}", alterable=False),
    Primitive("sub", "ii->i", method("sub"), "a - b", "sub.u{w}", alterable=False),
    Primitive("and_", "ii->i", method("and_"), "a & b", "and.b{w}", alterable=False),
    Primitive("or_", "ii->i", method("or_"), "a | b", "or.b{w}", alterable=False),
    Primitive("xor", "ii->i", method("xor"), "a ^ b", "xor.b{w}", alterable=False),
    Primitive("shl", "ii->i", method("shl"), "a << b", "shl.b{w}", alterable=False),
    Primitive("shr", "ii->i", method("lshr"), "a >> b", "shr.u{w}", alterable=False),
    Primitive("lt", "ii->b", unsigned("<"), "a < b", "setp.lt.u{w}", alterable=False),
)

OVERLOADS = {(primitive.name, primitive.operands): primitive for primitive in PRIMITIVES}
ARITY = {primitive.name: len(primitive.operands) for primitive in PRIMITIVES}
