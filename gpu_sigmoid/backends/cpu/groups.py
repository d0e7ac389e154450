"""The kernel around a scalar function: source text for Numba, one per signature.

It processes contiguous operands in groups of elements. LLVM vectorises a group with several interleaved
vectors. The results of a group are stored only when all of it has been computed, so that a result may be
an operand; on request the stores bypass the caches. The elements after the last whole group are computed
in a group together with the elements before them, so that the code exists only once. `loop` calls it.
"""

from textwrap import indent

from gpu_sigmoid.backends.instructions import fuses_multiply_add

# Vectors whose operations are interleaved. Against 1 it saves a tenth of the time of 32 and 64-bit kernels
# and a fifth of 16-bit ones (Zen 4, 512 bits); 8 is no better. A power of two, to LLVM.
INTERLEAVED = 4

AHEAD = 4096
"""In bytes: how far before its use an operand is fetched from memory.

Many CPUs look ahead by themselves only within a page of 4 KiB. On a Xeon whose caches pass 30 million
float32 numbers on, sigmoid took 0.58 ns an element without this, 0.46 ns with 1,024 bytes, 0.42 with 2,048
and 0.41 with 4,096 and more.
"""

GROUP_INTRINSICS = ("interleaved", "offset", "prefetch", "put", "short_vectors", "tile", "vector_loop")

TEMPLATE = """
def kernel(rows, cols, streamed, addresses, pitches, moves, table):
    vector_loop()
    {moves}
    below, ahead = 0, {ahead}
    if rows > 1 and cols < ahead:
        # whole rows ahead, so that a group's prefetch ends where the row does
        while below < rows and below * cols < ahead:
            below += 1
        ahead = 0
    for row in range(rows):
        {operands}
        rest, past = cols % {group}, streamed
        edge = cols - ahead
        near = (rows - row - below) * cols - ahead
        whole = cols - rest
        {ends}
        if whole == 0:
            for i in range(cols):
                {results} = scalar({loads})
                {stores}
                short_vectors({short})
        elif rest:
            {keep_last}
        {computation}
"""

GROUPS = """
        while whole:
            for start in range(0, whole, {group}):
                {starts}
                {prefetches}
                for i in range({group}):
                    {results} = scalar({group_loads})
                    {group_stores}
                    interleaved({interleaved}, {lanes})
                {puts}
            whole = {group} if rest else 0
            rest = past = near = 0
            {take_last}
"""


def group_size(itemsize: int) -> int:
    """Return how many elements `INTERLEAVED` vectors of 512 bits hold; 16-bit elements count as 32."""
    return INTERLEAVED * 64 // max(itemsize, 4)


def vector_length(itemsize: int) -> int:
    """Return the number of elements in a vector, or 0 to let LLVM choose.

    Without FMA, the functions called instead compute eight float32 numbers faster than twice four.
    """
    return 0 if fuses_multiply_add() or itemsize == 8 else 8


def kernel_source(inputs: int, outputs: int, itemsize: int, number: int | None = None) -> str:
    """Return the source of `kernel`, over operands that all have `itemsize` bytes.

    Its arguments are the number of rows and of elements in each; how many elements (in whole groups)
    bypass the caches, to addresses that are multiples of 64; and for each operand its address, the bytes
    from one row to the next, and the bytes from one element to the next: `itemsize`, or 0 for an operand
    that holds a group of the same number. `scalar`, `load`, `store` and `GROUP_INTRINSICS` must be in
    scope.

    If operand `number` is a single number, everything that depends only on it is computed once.
    """
    group = group_size(itemsize)
    ins, outs = [f"in{k}" for k in range(inputs)], [f"out{k}" for k in range(outputs)]
    results = [f"y{k}" for k in range(outputs)]
    moves = [f"move{k} = moves[{k}]; last{k} = tile(addresses[{k}], {group})" for k in range(inputs)]
    moves += [f"group{k} = tile(addresses[{inputs + k}], {group})" for k in range(outputs)]
    operands = [f"{name} = offset(addresses[{k}], row * pitches[{k}])" for k, name in enumerate(ins + outs)]

    def fetched(start: str) -> str:
        # beyond the row's edge the next row, and nothing else, which would often be another array's memory
        places = [
            f"offset(in{k}, ({start} + ahead) * move{k} + below * pitches[{k}]"
            f" + (pitches[{k}] - cols * move{k} if edge <= {start} else 0))"
            for k in range(inputs)
        ]
        return "; ".join(f"prefetch({place}, {group * itemsize}, {start} < near)" for place in places)

    # a row of unaligned lines has one more than its groups
    ends = [
        f"prefetch(offset(in{k}, below * pitches[{k}] + (cols - 1) * move{k}), 1, 0 < below and 0 < near)"
        for k in range(inputs)
    ]
    keep_last = [
        f"put(last{k}, offset(in{k}, (cols - {group}) * move{k}), {group}, False)" for k in range(inputs)
    ]
    take_last = [f"in{k} = last{k}" for k in range(inputs)]
    take_last += [f"out{k} = offset(out{k}, (cols - {group}) * {itemsize})" for k in range(outputs)]
    # a condition that changes between groups: LLVM would split the loop in two for a constant one
    puts = [
        f"put(offset(out{k}, start * {itemsize}), group{k}, {group}, start < past)" for k in range(outputs)
    ]

    def groups(loads: list[str]) -> str:
        return GROUPS.format(
            group=group,
            interleaved=INTERLEAVED,
            lanes=vector_length(itemsize),
            results=", ".join(results),
            starts="; ".join(f"from{k} = offset(in{k}, start * move{k})" for k in range(inputs)),
            prefetches=fetched("start"),
            group_loads=", ".join(loads),
            group_stores="; ".join(f"store(group{k}, i, {y})" for k, y in enumerate(results)),
            puts="; ".join(puts),
            take_last="; ".join(take_last),
        )

    loads = [f"load(from{k}, i)" for k in range(inputs)]
    computation = groups(loads)
    if number is not None:
        otherwise = indent(computation, "    ")
        loads[number] = "number"
        computation = f"if move{number} == 0:\n            number = load(in{number}, 0)"
        computation += indent(groups(loads), "    ") + "        else:" + otherwise
    return TEMPLATE.format(
        group=group,
        ahead=AHEAD // itemsize,
        short=32 // max(itemsize, 4),
        moves="; ".join(moves),
        operands="; ".join(operands),
        results=", ".join(results),
        loads=", ".join(f"load({name}, i)" for name in ins),
        stores="; ".join(f"store({o}, i, {y})" for o, y in zip(outs, results, strict=True)),
        ends="; ".join(ends),
        keep_last="; ".join([*keep_last, fetched("whole")]),
        computation=computation.strip(),
    )
