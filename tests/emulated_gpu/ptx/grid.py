"""What goes around a kernel: its loops over blocks and threads, and how threads wait at barriers.

Threads run one after the other. Where there are barriers, a thread that reaches one writes
its registers to its state and returns the barrier's number; once every thread of the block
has, each is entered again behind it. There is neither a stack nor a host thread for each.
"""

from emulated_gpu.memory import FRESH_BYTE
from emulated_gpu.ptx import comparisons, control, conversions, data, floating, integers  # noqa: F401
from emulated_gpu.ptx.emitter import SAVE, Emitter
from emulated_gpu.ptx.instructions import emit_statement
from emulated_gpu.ptx.parser import Kernel
from emulated_gpu.ptx.types import PtxError, word

FIRST_REGISTER = 8
REGISTER_BYTES = 8

BY_AXIS = [f"i32 %{name}.{axis}" for name in ("ctaid", "tid", "nctaid", "ntid") for axis in "xyz"]
THREAD_PARAMETERS = ", ".join(["ptr %params", *BY_AXIS, "ptr %shared", "i64 %shared.bytes", "ptr %state"])

GRID = """
define i32 @"run.{name}"(ptr %params, i32 %nctaid.x, i32 %nctaid.y, i32 %nctaid.z, i32 %ntid.x, i32 %ntid.y,
                         i32 %ntid.z, ptr %shared, i64 %shared.bytes, ptr %states) null_pointer_is_valid {{
entry:
  %plane = mul i32 %ntid.x, %ntid.y
  %threads = mul i32 %plane, %ntid.z
  %all.states = mul i32 %threads, {state_bytes}
  %nx = zext i32 %nctaid.x to i64
  %ny = zext i32 %nctaid.y to i64
  %nz = zext i32 %nctaid.z to i64
  %nxy = mul i64 %nx, %ny
  %blocks = mul i64 %nxy, %nz
  br label %block
block:
  %b = phi i64 [ 0, %entry ], [ %b.next, %block.done ]
  %bx = urem i64 %b, %nx
  %byz = udiv i64 %b, %nx
  %by = urem i64 %byz, %ny
  %bz = udiv i64 %byz, %ny
  %ctaid.x = trunc i64 %bx to i32
  %ctaid.y = trunc i64 %by to i32
  %ctaid.z = trunc i64 %bz to i32
  call void @llvm.memset.p0.i64(ptr %shared, i8 {fresh}, i64 %shared.bytes, i1 false)
  call void @llvm.memset.p0.i32(ptr %states, i8 0, i32 %all.states, i1 false)
  br label %round
round:
  br label %thread
thread:
  %t = phi i32 [ 0, %round ], [ %t.next, %thread.done ]
  %waiting = phi i32 [ 0, %round ], [ %waiting.next, %thread.done ]
  %offset = mul i32 %t, {state_bytes}
  %state = getelementptr i8, ptr %states, i32 %offset
  {resume_at}
  %gone = icmp slt i32 %resume, 0
  br i1 %gone, label %thread.done, label %enter
enter:
  %tid.x = urem i32 %t, %ntid.x
  %tyz = udiv i32 %t, %ntid.x
  %tid.y = urem i32 %tyz, %ntid.y
  %tid.z = udiv i32 %tyz, %ntid.y
  %code = call i32 @"thread.{name}"({parameters})
  {keep_code}
  %failed = icmp slt i32 %code, {done}
  br i1 %failed, label %fail, label %left
fail:
  ret i32 %code
left:
  ; the barrier that threads wait at in this round: all at the same one
  %waits = icmp sgt i32 %code, 0
  %first = icmp eq i32 %waiting, 0
  %together = icmp eq i32 %waiting, %code
  %either = or i1 %first, %together
  %alone = xor i1 %either, true
  %diverged = and i1 %waits, %alone
  %waiting.now = select i1 %waits, i32 %code, i32 %waiting
  br i1 %diverged, label %divergent, label %thread.done
divergent:
  ret i32 {diverged}
thread.done:
  %waiting.next = phi i32 [ %waiting, %thread ], [ %waiting.now, %left ]
  %t.next = add i32 %t, 1
  %more.threads = icmp ult i32 %t.next, %threads
  br i1 %more.threads, label %thread, label %round.done
round.done:
  %again = icmp ne i32 %waiting.next, 0
  br i1 %again, label %round, label %block.done
block.done:
  %b.next = add i64 %b, 1
  %more.blocks = icmp ult i64 %b.next, %blocks
  br i1 %more.blocks, label %block, label %finish
finish:
  ret i32 0
}}
"""


def translated(kernel: Kernel) -> tuple[str, int]:
    """Return a kernel's LLVM IR, `run.NAME`, and how many bytes of state a thread needs."""
    emitter = Emitter(kernel)
    for statement in kernel.statements:
        try:
            emit_statement(emitter, statement)
        except PtxError as error:
            raise PtxError(f"kernel {kernel.name}: {error}") from None
    emitter.do(f"ret i32 {control.DONE}")
    state_bytes = FIRST_REGISTER + REGISTER_BYTES * len(emitter.registers) if emitter.barriers else 0
    loops = GRID.format(
        name=kernel.name,
        parameters=THREAD_PARAMETERS,
        state_bytes=state_bytes,
        fresh=FRESH_BYTE,
        done=control.DONE,
        diverged=control.DIVERGED,
        resume_at="%resume = load i32, ptr %state" if state_bytes else "%resume = add i32 0, 0",
        keep_code="store i32 %code, ptr %state" if state_bytes else "",
    )
    return thread(kernel.name, emitter) + loops, state_bytes


def thread(name: str, emitter: Emitter) -> str:
    """Return the function that a thread runs from where it was left to the next barrier or its end."""
    # an access outside of all memory is one of null, which LLVM is not to take for impossible
    attributes = f"{'noinline' if emitter.barriers else 'alwaysinline'} null_pointer_is_valid"
    lines = [f'define internal i32 @"thread.{name}"({THREAD_PARAMETERS}) {attributes} {{', "entry:"]
    lines += [f"  {register.slot} = alloca {word(register.kind)}" for register in emitter.registers]
    if emitter.barriers:
        lines += moved(emitter, "restored", to_state=False)
        cases = " ".join(f'i32 {k}, label %"resume{k}"' for k in range(1, emitter.barriers + 1))
        lines += ["  %resume = load i32, ptr %state", f"  switch i32 %resume, label %start [ {cases} ]"]
    else:
        lines.append("  br label %start")
    lines.append("start:")
    saves = 0
    for line in emitter.lines:
        if line is SAVE:
            saves += 1
            lines += moved(emitter, f"saved{saves}", to_state=True)
        else:
            lines.append(line)
    if emitter.can_misalign:
        lines += ["misaligned:", f"  ret i32 {control.MISALIGNED}"]
    return "\n".join([*lines, "}", ""])


def moved(emitter: Emitter, label: str, to_state: bool) -> list[str]:
    """Return the lines that write all registers to the thread's state, or read them from it."""
    lines = []
    for k, register in enumerate(emitter.registers):
        place, value = f"%{label}.place{k}", f"%{label}.value{k}"
        source, target = (register.slot, place) if to_state else (place, register.slot)
        lines += [
            f"  {place} = getelementptr i8, ptr %state, i32 {FIRST_REGISTER + REGISTER_BYTES * k}",
            f"  {value} = load {word(register.kind)}, ptr {source}",
            f"  store {word(register.kind)} {value}, ptr {target}",
        ]
    return lines
