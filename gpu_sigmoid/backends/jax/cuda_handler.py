"""The native handler for NVIDIA GPUs: launches a kernel on XLA's stream and returns.

It allocates nothing and waits for nothing, so that XLA may capture it in a CUDA graph.
"""

from gpu_sigmoid.backends.cpu.native import jitted
from gpu_sigmoid.backends.jax import frame as f
from gpu_sigmoid.backends.jax.handler import (
    FAILED_PRECONDITION,
    address_of,
    answered,
    describes_itself,
    elements,
    entry_of,
    failure,
    key_in,
)
from gpu_sigmoid.backends.jax.memory import call, set_word, symbol, word, words
from gpu_sigmoid.backends.jax.table import CODE, DETAIL, ITEM_SIZE

COMMAND_BUFFER_COMPATIBLE, INTERNAL = 1, 13
"""Of XLA's enumerations."""

LAUNCH, THREADS, VECTOR = 0, 8, 16
"""Byte offsets in `driver`: the address of cuLaunchKernel, threads in a block, bytes in a vector."""

cuda_table, driver = symbol("gpu_sigmoid_cuda_kernels"), symbol("gpu_sigmoid_driver")


@jitted
def asked(frame: int, function: int) -> int:
    """Return what a function of XLA's API says of the call: its stream, or its device's number; or -1."""
    query = words(4)
    set_word(query, 0, 32)
    set_word(query, 8, 0)
    set_word(query, 16, word(frame, f.CONTEXT))
    set_word(query, 24, 0)
    return word(query, 24) if answered(frame, function, query) else -1


@jitted
def key_on(device: int, key: int) -> int:
    """Return the key of a kernel on a device: each has a handle of its own."""
    return key ^ (device << 1)


def execute(frame: int) -> int:
    if describes_itself(frame, COMMAND_BUFFER_COMPATIBLE):
        return 0
    stream, device = asked(frame, f.GET_STREAM), asked(frame, f.GET_DEVICE)
    entry = entry_of(key_on(device, key_in(frame)), cuda_table())
    if entry == 0 or stream == -1:
        return failure(frame, FAILED_PRECONDITION)
    size = elements(frame)
    if size == 0:
        return 0
    inputs, outputs = word(frame, f.INPUTS + f.SIZE), word(frame, f.OUTPUTS + f.SIZE)
    values, parameters = words(10), words(10)
    block, vector = word(driver(), THREADS), word(driver(), VECTOR)
    distance, alike = address_of(frame, 0, inputs) % vector, True
    for k in range(inputs + outputs):
        place = address_of(frame, k, inputs)
        alike = alike and place % vector == distance
        set_word(values, 8 * k, place)
    per_thread = word(entry, DETAIL)
    # elements before the first whole vector; all, one to a thread, of arrays that have none in common
    peeled = min(size, (-distance) % vector // word(entry, ITEM_SIZE)) if alike else size
    threads = (size + per_thread - 1) // per_thread if alike else size
    set_word(values, 8 * (inputs + outputs), size)
    set_word(values, 8 * (inputs + outputs) + 8, peeled)
    for k in range(inputs + outputs + 2):
        set_word(parameters, 8 * k, values + 8 * k)
    blocks = (threads + block - 1) // block
    arguments = (word(entry, CODE), blocks, 1, 1, block, 1, 1, 0, stream, parameters, 0)
    status = call(word(driver(), LAUNCH), arguments)
    # the upper half of a register that holds an int is anything
    return 0 if status & 0xFFFFFFFF == 0 else failure(frame, INTERNAL)
