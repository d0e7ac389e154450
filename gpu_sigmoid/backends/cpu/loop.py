"""The loop around a scalar function: source text for Numba, one per signature.

It is a NumPy ufunc's inner loop. LLVM vectorises the scalar function over contiguous
operands, several vectors side by side. All else (strides, broadcasting, an output that
is an input) is copied through tiles on the stack, so that it too runs at vector speed,
and so that LLVM need not allow for overlap.
"""

TILE = 256

# Vectors whose operations are interleaved. Against 1 it saves a tenth of the time of 32 and 64-bit kernels
# and a fifth of 16-bit ones (Zen 4, 512 bits); 8 is no better. A power of two, to LLVM.
INTERLEAVED = 4

LOOP_INTRINSICS = (
    "enter_default_environment",
    "interleaved",
    "move",
    "offset",
    "restore_environment",
    "same_address",
    "tile",
    "vector_loop",
)

TEMPLATE = """
def contiguous(count, {pointers}):
    vector_loop()
    for i in range(count):
        {results} = scalar({loads})
        {stores}
        interleaved({INTERLEAVED})


def copy(count, target, target_step, source, source_step):
    for i in range(count):
        move(target, i * target_step, source, i * source_step)


def loop(args, dimensions, steps, data):
    environment = enter_default_environment()
    n = dimensions[0]
    if {direct}:
        contiguous(n, {args})
    else:
        {tiles}
        for start in range(0, n, {TILE}):
            count = min({TILE}, n - start)
            {gathers}
            contiguous(count, {pointers})
            {scatters}
    restore_environment(environment)
"""


def loop_source(inputs: int, outputs: int, itemsize: int) -> str:
    """Return the source of `loop`, over operands that all have `itemsize` bytes.

    It also defines `contiguous` and `copy`, to be compiled with `scalar` first. In
    scope are to be `load`, `store` and `LOOP_INTRINSICS`.
    """
    ins = [f"in{i}" for i in range(inputs)]
    outs = [f"out{i}" for i in range(outputs)]
    operands = list(enumerate(ins + outs))
    distinct = [
        f"not same_address(args[{i}], args[{inputs + o}])" for i in range(inputs) for o in range(outputs)
    ]
    unit_steps = [f"steps[{k}] == {itemsize}" for k, _ in operands]

    def gather(k: int, name: str) -> str:
        return f"copy(count, {name}, {itemsize}, offset(args[{k}], start * steps[{k}]), steps[{k}])"

    def scatter(k: int, name: str) -> str:
        return f"copy(count, offset(args[{k}], start * steps[{k}]), steps[{k}], {name}, {itemsize})"

    return TEMPLATE.format(
        TILE=TILE,
        INTERLEAVED=INTERLEAVED,
        pointers=", ".join(ins + outs),
        args=", ".join(f"args[{k}]" for k, _ in operands),
        results=", ".join(f"y{o}" for o in range(outputs)),
        loads=", ".join(f"load({name}, i)" for name in ins),
        stores="; ".join(f"store({name}, i, y{o})" for o, name in enumerate(outs)),
        direct=" and ".join(unit_steps + distinct),
        tiles="; ".join(f"{name} = tile(args[{k}], {TILE})" for k, name in operands),
        gathers="; ".join(gather(k, name) for k, name in operands[:inputs]),
        scatters="; ".join(scatter(k, name) for k, name in operands[inputs:]),
    )
