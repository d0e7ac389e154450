"""The native handler for NVIDIA GPUs: launches a kernel on XLA's stream and returns.

It allocates nothing and waits for nothing, so that XLA may capture it in a CUDA graph.
"""

from gpu_sigmoid.backends.cpu.loop import MOST_OPERANDS
from gpu_sigmoid.backends.cpu.memory import call, set_word, symbol, word, words
from gpu_sigmoid.backends.cpu.native import jitted
from gpu_sigmoid.backends.jax import frame as f
from gpu_sigmoid.backends.jax.calls import (
    FAILED_PRECONDITION,
    NOT_COMPILED,
    NOT_LAUNCHED,
    address_of,
    answered,
    begin,
    describes_itself,
    elements,
    entry_of,
    failure,
    key_in,
)
from gpu_sigmoid.backends.jax.table import CODE, DETAIL, ITEM_SIZE

COMMAND_BUFFER_COMPATIBLE, INTERNAL = 1, 13
"""Values of XLA's enumerations."""

PARAMETERS = MOST_OPERANDS + 2
"""The most parameters of a kernel; a few too many do no harm."""

LAUNCH, THREADS, VECTOR, LOOK_UP_THREADS, LOOK_UP_FROM, LOOK_UP_SHARED = 0, 8, 16, 24, 32, 40
"""Byte offsets in `driver`: the address of cuLaunchKernel, threads in a block, bytes in a vector; for
look-ups, threads in a block, the least number of elements, bytes of shared memory."""

LOOK_UP = 1 << 60
"""Marks the key of a look-up. The detail of its entry is the address of these words:"""

FIRST_TABLE, LAST_TABLE, PROCESSORS = 0, 8, 16

cuda_table, driver = symbol("gpu_sigmoid_cuda_kernels"), symbol("gpu_sigmoid_driver")


@jitted
def asked(frame: int, function: int) -> int:
    """Return a property of the call from XLA's API: its stream or its device's number; or -1."""
    query = words(4)
    begin(query, 32, word(frame, f.CONTEXT))
    set_word(query, 24, 0)
    return word(query, 24) if answered(frame, function, query) else -1


@jitted
def key_on(device: int, key: int) -> int:
    """Return the key of a kernel on a device, since each device has its own handle."""
    return key ^ (device << 1)


@jitted
def launched(
    frame: int, stream: int, kernel: int, blocks: int, rows: int, threads: int, shared: int, values: int
) -> int:
    """Launch a kernel with the parameters at `values`; return an error or 0."""
    parameters = words(PARAMETERS)
    for k in range(PARAMETERS):
        set_word(parameters, 8 * k, values + 8 * k)
    arguments = (kernel, blocks, rows, 1, threads, 1, 1, shared, stream, parameters, 0)
    status = call(word(driver(), LAUNCH), arguments)
    # the upper half of a register that holds an int is undefined
    return 0 if status & 0xFFFFFFFF == 0 else failure(frame, INTERNAL, NOT_LAUNCHED)


@jitted
def looked_up(frame: int, stream: int, entry: int, size: int, peeled: int) -> int:
    """Launch the look-up of 16-bit results in tables: two results in two rows of blocks."""
    results, tables = word(frame, f.OUTPUTS + f.SIZE), word(entry, DETAIL)
    values, threads = words(PARAMETERS), word(driver(), LOOK_UP_THREADS)
    set_word(values, 0, address_of(frame, 0, 1))
    set_word(values, 8, address_of(frame, 1, 1))
    set_word(values, 16, word(tables, FIRST_TABLE))
    set_word(values, 24, address_of(frame, results, 1))
    set_word(values, 32, word(tables, LAST_TABLE))
    set_word(values, 40, size)
    set_word(values, 48, peeled)
    bytes_a_block = threads * word(driver(), VECTOR)
    blocks = min((2 * size + bytes_a_block - 1) // bytes_a_block, word(tables, PROCESSORS) // results)
    shared = word(driver(), LOOK_UP_SHARED)
    return launched(frame, stream, word(entry, CODE), blocks, results, threads, shared, values)


def execute(frame: int) -> int:
    if describes_itself(frame, COMMAND_BUFFER_COMPATIBLE):
        return 0
    stream = asked(frame, f.GET_STREAM)
    key = key_on(asked(frame, f.GET_DEVICE), key_in(frame))
    entry = entry_of(key, cuda_table())
    if entry == 0 or stream == -1:
        return failure(frame, FAILED_PRECONDITION, NOT_COMPILED)
    size = elements(frame)
    if size == 0:
        return 0
    inputs, outputs = word(frame, f.INPUTS + f.SIZE), word(frame, f.OUTPUTS + f.SIZE)
    values, threads, vector = words(PARAMETERS), word(driver(), THREADS), word(driver(), VECTOR)
    distance, alike = address_of(frame, 0, inputs) % vector, True
    for k in range(inputs + outputs):
        place = address_of(frame, k, inputs)
        alike = alike and place % vector == distance
        set_word(values, 8 * k, place)
    # the elements before the first whole vector; all of them, one per thread, if no vectors coincide
    peeled = min(size, (-distance) % vector // word(entry, ITEM_SIZE)) if alike else size
    # blocks for a second result would read what others have written over the operand
    torn = outputs > 1 and address_of(frame, 0, inputs) == address_of(frame, inputs, inputs)
    if alike and not torn and size >= word(driver(), LOOK_UP_FROM):
        look_up = entry_of(key ^ LOOK_UP, cuda_table())
        if look_up != 0:
            return looked_up(frame, stream, look_up, size, peeled)
    set_word(values, 8 * (inputs + outputs), size)
    set_word(values, 8 * (inputs + outputs) + 8, peeled)
    elements_a_block = threads * (word(entry, DETAIL) if alike else 1)
    blocks = (size + elements_a_block - 1) // elements_a_block
    return launched(frame, stream, word(entry, CODE), blocks, 1, threads, 0, values)
