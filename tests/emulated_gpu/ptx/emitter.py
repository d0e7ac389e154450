"""A kernel's registers, operands and addresses as LLVM IR.

A register is a place on the stack, which LLVM's passes turn into values. It holds an
integer of its width; instructions on floats convert its bits. Device addresses are
numbers of a range that the host cannot touch (see `memory`): the emitted code reaches
what lies there at another address, and nothing but that range.
"""

import re
import struct
from dataclasses import dataclass

from emulated_gpu.memory import BASE, SHIFT, SPAN
from emulated_gpu.ptx.parser import Kernel
from emulated_gpu.ptx.types import FLOATS, WIDTHS, PtxError, size, word

SPECIAL = {
    f"%{name}.{axis}": f"%{name}.{axis}" for name in ("tid", "ntid", "ctaid", "nctaid") for axis in "xyz"
}
NUMBER = re.compile(r"(-?)(0[xX][0-9a-fA-F]+|\d+)U?")
FLOAT_BITS = re.compile(r"0[fF]([0-9a-fA-F]{8})|0[dD]([0-9a-fA-F]{16})")
ADDRESS = re.compile(r"\[\s*([%$\w.]+)\s*(?:\+\s*(-?\d+))?\s*\]")
SAVE = "; save all registers"


@dataclass(frozen=True)
class Register:
    slot: str
    kind: str


class Emitter:
    """What is emitted for one kernel."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.lines: list[str] = []
        self.registers: list[Register] = []
        self.barriers = 0
        self.can_misalign = False
        self._scopes: list[dict[str, Register]] = [{}]
        self._parameters = {p.name: k for k, p in enumerate(kernel.parameters)}
        self._count = 0

    # --- lines

    def fresh(self, name: str = "t") -> str:
        self._count += 1
        return f"{name}{self._count}"

    def op(self, text: str) -> str:
        """Emit an instruction and return its result."""
        result = f"%{self.fresh()}"
        self.lines.append(f"  {result} = {text}")
        return result

    def do(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        """Begin a block that the code above goes on into."""
        self.do(f'br label %"{name}"')
        self.begin(name)

    def begin(self, name: str) -> None:
        """Begin a block that is only jumped to."""
        self.lines.append(f'"{name}":')

    def end(self, text: str) -> None:
        """Emit what nothing follows in its block."""
        self.do(text)
        self.begin(self.fresh("dead"))

    def suspend(self) -> None:
        """Leave the thread, to be entered again here when all of the block have come as far."""
        self.barriers += 1
        self.lines.append(SAVE)
        self.do(f"ret i32 {self.barriers}")
        self.begin(f"resume{self.barriers}")

    # --- registers

    def open_scope(self) -> None:
        self._scopes.append({})

    def close_scope(self) -> None:
        self._scopes.pop()

    def declare(self, kind: str, names: str) -> None:
        """Declare registers: `%r<8>` are eight, `%r0` to `%r7`."""
        for name in map(str.strip, names.split(",")):
            several = re.fullmatch(r"(.+)<(\d+)>", name)
            for each in [f"{several[1]}{k}" for k in range(int(several[2]))] if several else [name]:
                register = Register(f'%"{each}.{len(self.registers)}"', kind)
                self.registers.append(register)
                self._scopes[-1][each] = register

    def register(self, name: str) -> Register | None:
        return next((scope[name] for scope in reversed(self._scopes) if name in scope), None)

    # --- operands

    def value(self, operand: str, kind: str) -> str:
        """Return an operand's bits, as an integer of a type's width."""
        if register := self.register(operand):
            held = self.op(f"load {word(register.kind)}, ptr {register.slot}")
            return self.resized(held, register.kind, kind)
        if operand in SPECIAL:
            return self.resized(SPECIAL[operand], "u32", kind)
        if found := FLOAT_BITS.fullmatch(operand):
            return str(immediate_float(found, kind))
        if found := NUMBER.fullmatch(operand):
            number = int(found[2], 0 if found[2][:2] in ("0x", "0X") else 10)
            if kind == "pred":
                return "true" if number else "false"
            return str((-number if found[1] else number) & ((1 << WIDTHS[kind]) - 1))
        if operand in self.kernel.shared_offsets:
            return str(self.kernel.shared_offsets[operand])
        if operand in self._parameters:
            return self.op(f"ptrtoint ptr {self.parameter(operand)} to i64")
        raise PtxError(f"operand {operand} is not emulated")

    def floating(self, operand: str, kind: str, ftz: bool = False) -> str:
        """Return an operand as a float, a subnormal as zero under `ftz`."""
        number = self.op(f"bitcast {word(kind)} {self.value(operand, kind)} to {FLOATS[kind]}")
        return self.op(f"call float @flushed(float {number})") if ftz else number

    def predicate(self, operand: str) -> str:
        value = self.value(operand.lstrip("!"), "pred")
        return self.op(f"xor i1 {value}, true") if operand.startswith("!") else value

    def resized(self, value: str, kind: str, to: str) -> str:
        """Return an integer of another width: one of a signed type is sign-extended."""
        if WIDTHS[kind] == WIDTHS[to]:
            return value
        cast = "trunc" if WIDTHS[kind] > WIDTHS[to] else "sext" if kind[0] == "s" else "zext"
        return self.op(f"{cast} {word(kind)} {value} to {word(to)}")

    def put(self, operand: str, value: str, kind: str) -> None:
        """Set a register: a wider one takes the value extended by its type."""
        register = self.register(operand)
        if register is None:
            raise PtxError(f"register {operand} is not declared")
        self.do(
            f"store {word(register.kind)} {self.resized(value, kind, register.kind)}, ptr {register.slot}"
        )

    def put_float(self, operand: str, number: str, kind: str, ftz: bool = False) -> None:
        """Set a register to the result of arithmetic: a nan of 16 or 32 bits is the GPU's one."""
        if ftz:
            number = self.op(f"call float @flushed(float {number})")
        if kind != "f64":
            number = self.op(f"call {FLOATS[kind]} @canonical.{kind}({FLOATS[kind]} {number})")
        self.put(operand, self.op(f"bitcast {FLOATS[kind]} {number} to {word(kind)}"), kind)

    # --- addresses

    def address(self, operand: str, space: str) -> str:
        """Return the host's pointer to an operand in memory."""
        found = ADDRESS.fullmatch(operand)
        if not found:
            raise PtxError(f"address {operand} is not understood")
        name, offset = found[1], int(found[2] or 0)
        if space == "param":
            if name in self._parameters:
                return self.op(f"getelementptr i8, ptr {self.parameter(name)}, i64 {offset}")
            # a parameter's own address, chosen at run time
            at = self.op(f"add i64 {self.value(name, 'u64')}, {offset}")
            return self.op(f"inttoptr i64 {at} to ptr")
        value = self.op(f"add i64 {self.value(name, 'u64')}, {offset}")
        if space == "shared":
            # beyond the block's own there may be memory of the host
            inside = self.op(f"icmp ult i64 {value}, %shared.bytes")
            at = self.op(f"getelementptr i8, ptr %shared, i64 {value}")
            return self.op(f"select i1 {inside}, ptr {at}, ptr null")
        distance = self.op(f"sub i64 {value}, {BASE}")
        inside = self.op(f"icmp ult i64 {distance}, {SPAN}")
        # null, which faults, where a real GPU would find no memory of its own
        at = self.op(f"select i1 {inside}, i64 {self.op(f'add i64 {value}, {SHIFT}')}, i64 0")
        return self.op(f"inttoptr i64 {at} to ptr")

    def parameter(self, name: str) -> str:
        """Return the host's pointer to a launch's copy of a parameter."""
        place = self.op(f"getelementptr ptr, ptr %params, i64 {self._parameters[name]}")
        return self.op(f"load ptr, ptr {place}")

    def check_alignment(self, pointer: str, bytes_: int) -> None:
        """Emit a fault where an access is not aligned to its size."""
        if bytes_ == 1:
            return
        low = self.op(f"and i64 {self.op(f'ptrtoint ptr {pointer} to i64')}, {bytes_ - 1}")
        aligned = self.fresh("aligned")
        self.do(f'br i1 {self.op(f"icmp eq i64 {low}, 0")}, label %"{aligned}", label %"misaligned"')
        self.begin(aligned)
        self.can_misalign = True

    def elements(self, pointer: str, kind: str, count: int) -> list[str]:
        """Return the pointers to the elements of a vector."""
        offsets = [k * size(kind) for k in range(count)]
        return [self.op(f"getelementptr i8, ptr {pointer}, i64 {offset}") for offset in offsets]


def immediate_float(found: re.Match, kind: str) -> int:
    """Return the bits of a literal, which may stand in 32 or 64 bits for a type of the other width."""
    digits = found[1] or found[2]
    bits = int(digits, 16)
    if len(digits) * 4 == WIDTHS[kind] or kind not in ("f32", "f64"):
        return bits
    (number,) = struct.unpack(">f" if found[1] else ">d", bytes.fromhex(digits))
    return int.from_bytes(struct.pack(">d" if kind == "f64" else ">f", number))
