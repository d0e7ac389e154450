"""The native handler: runs a kernel's loop on XLA's buffers, without Python and its lock.

Numba compiles it. Buffers are dense and in row-major order, as `jax.ffi` asks XLA for. A large result
is computed in blocks on XLA's own threads; XLA learns of its end by a future, so that no thread waits.
"""

from gpu_sigmoid.backends.cpu.native import jitted
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM
from gpu_sigmoid.backends.jax import frame as f
from gpu_sigmoid.backends.jax.memory import (
    call,
    fetch_add,
    free,
    half,
    malloc,
    set_half,
    set_word,
    symbol,
    word,
    words,
)
from gpu_sigmoid.backends.jax.table import CAPACITY, CODE, DETAIL, ENTRY, ITEM_SIZE, KEY

MOST_OPERANDS = 8
BLOCK = 1 << 17
"""Elements that a thread takes at a time."""

VERSION_MAJOR, VERSION_MINOR, THREADS, TASK, NOT_COMPILED, NOT_LAUNCHED = 0, 8, 16, 24, 32, 128
"""Byte offsets in what the handler is told by the process that it runs in: `settings`. The last two are
messages."""

METADATA_EXTENSION, FAILED_PRECONDITION = 1, 9
"""Of XLA's enumerations."""

# What the threads that compute one result share, in words on the heap. `HOLDERS` counts those that may
# still read it: the last one frees it.
NEXT, LEFT, HOLDERS, BLOCKS, COUNT, OPERANDS, KERNEL, FINISH, DONE = 0, 8, 16, 24, 32, 40, 48, 56, 64
STEPS = 72
POINTERS = STEPS + 8 * MOST_OPERANDS
JOB = POINTERS + 8 * MOST_OPERANDS

host_table, settings = symbol("gpu_sigmoid_host_kernels"), symbol("gpu_sigmoid_settings")


@jitted
def describes_itself(frame: int, traits: int) -> bool:
    """Answer XLA's questions at registration, of the API's version and of traits; return whether it asked."""
    extension = word(frame, f.EXTENSION)
    while extension != 0:
        if half(extension, f.EXTENSION_TYPE) == METADATA_EXTENSION:
            metadata = word(extension, f.METADATA)
            set_half(metadata, f.MAJOR, word(settings(), VERSION_MAJOR))
            set_half(metadata, f.MINOR, word(settings(), VERSION_MINOR))
            set_half(metadata, f.TRAITS, traits)
            return True
        extension = word(extension, f.NEXT_EXTENSION)
    return False


@jitted
def key_in(frame: int) -> int:
    """Return the key of the kernel that the program asks for, its one attribute."""
    return word(word(word(word(frame, f.ATTRIBUTES + f.ATTRIBUTE_ITEMS), 0), f.VALUE), 0)


@jitted
def entry_of(key: int, table: int) -> int:
    """Return the address of a key's entry in a table, 0 where there is none."""
    place = key & (CAPACITY - 1)
    while True:
        entry = table + place * ENTRY
        found = word(entry, KEY)
        if found == key:
            return entry
        if found == 0:
            return 0
        place = (place + 1) & (CAPACITY - 1)


@jitted
def failure(frame: int, code: int, message: int) -> int:
    """Return an error with a message of `settings`, for XLA to raise."""
    error = words(4)
    set_word(error, 0, 32)
    set_word(error, 8, 0)
    set_word(error, 16, settings() + message)
    set_half(error, 24, code)
    return call(word(word(frame, f.API), f.CREATE_ERROR), (error,))


@jitted
def address_of(frame: int, k: int, inputs: int) -> int:
    """Return where the buffer of an operand, or after them of a result, lies."""
    if k < inputs:
        return word(word(word(frame, f.INPUTS + f.ITEMS), 8 * k), f.DATA)
    return word(word(word(frame, f.OUTPUTS + f.ITEMS), 8 * (k - inputs)), f.DATA)


@jitted
def elements(frame: int) -> int:
    """Return how many elements a result has."""
    buffer = word(word(frame, f.OUTPUTS + f.ITEMS), 0)
    count = 1
    for axis in range(word(buffer, f.RANK)):
        count *= word(word(buffer, f.DIMS), 8 * axis)
    return count


@jitted
def answered(frame: int, function: int, query: int) -> bool:
    """Call a function of XLA's API; return whether it succeeded."""
    api = word(frame, f.API)
    error = call(word(api, function), (query,))
    if error != 0:
        unwanted = words(3)
        set_word(unwanted, 0, 24)
        set_word(unwanted, 8, 0)
        set_word(unwanted, 16, error)
        call(word(api, f.DESTROY_ERROR), (unwanted,))
    return error == 0


@jitted
def threads_of(frame: int) -> int:
    """Return how many threads may compute, this one included."""
    query = words(5)
    set_word(query, 0, 32)
    set_word(query, 8, 0)
    set_word(query, 16, word(frame, f.CONTEXT))
    set_word(query, 24, query + 32)
    set_word(query, 32, 1)
    answered(frame, f.COUNT_THREADS, query)
    return min(word(query, 32), word(settings(), THREADS))


@jitted
def new_future(frame: int) -> int:
    """Give the call frame a future and return it, 0 where there is none to be had."""
    query = words(3)
    set_word(query, 0, 24)
    set_word(query, 8, 0)
    set_word(query, 16, 0)
    if answered(frame, f.CREATE_FUTURE, query):
        set_word(frame, f.FUTURE, word(query, 16))
    return word(query, 16)


@jitted
def compute_blocks(job: int) -> None:
    """Compute blocks until none is left; whoever finishes the last one tells XLA."""
    pointers, length = words(8), words(1)
    operands, count = word(job, OPERANDS), word(job, COUNT)
    while True:
        block = fetch_add(job, NEXT, 1)
        if block >= word(job, BLOCKS):
            break
        start = block * BLOCK
        set_word(length, 0, min(BLOCK, count - start))
        for k in range(operands):
            moved = word(job, POINTERS + 8 * k) + start * word(job, STEPS)
            set_word(pointers, 8 * k, moved)
        entry = word(job, KERNEL)
        call(word(entry, CODE), (pointers, length, job + STEPS, word(entry, DETAIL)))
        if fetch_add(job, LEFT, -1) == 1:
            done = words(3)
            set_word(done, 0, 24)
            set_word(done, 8, 0)
            set_word(done, 16, word(job, DONE))
            call(word(job, FINISH), (done,))
    if fetch_add(job, HOLDERS, -1) == 1:
        free(job)


@jitted
def share(
    frame: int, entry: int, count: int, operands: int, pointers: int, steps: int, threads: int, future: int
) -> None:
    """Compute a result of `count` elements in blocks, here and on XLA's other threads."""
    blocks = (count + BLOCK - 1) // BLOCK
    helpers = min(threads, blocks) - 1
    job = malloc(JOB)
    set_word(job, NEXT, 0)
    set_word(job, LEFT, blocks)
    set_word(job, HOLDERS, helpers + 1)
    set_word(job, BLOCKS, blocks)
    set_word(job, COUNT, count)
    set_word(job, OPERANDS, operands)
    set_word(job, KERNEL, entry)
    set_word(job, FINISH, word(word(frame, f.API), f.SET_FUTURE))
    set_word(job, DONE, future)
    for k in range(operands):
        set_word(job, POINTERS + 8 * k, word(pointers, 8 * k))
        set_word(job, STEPS + 8 * k, word(steps, 8 * k))
    task = words(5)
    set_word(task, 0, 40)
    set_word(task, 8, 0)
    set_word(task, 16, word(frame, f.CONTEXT))
    set_word(task, 24, word(settings(), TASK))
    set_word(task, 32, job)
    for _ in range(helpers):
        if not answered(frame, f.SCHEDULE, task):
            fetch_add(job, HOLDERS, -1)
    compute_blocks(job)


def execute(frame: int) -> int:
    if describes_itself(frame, 0):
        return 0
    entry = entry_of(key_in(frame), host_table())
    if entry == 0:
        return failure(frame, FAILED_PRECONDITION, NOT_COMPILED)
    inputs, outputs = word(frame, f.INPUTS + f.SIZE), word(frame, f.OUTPUTS + f.SIZE)
    pointers, steps, length = words(8), words(8), words(1)
    itemsize = word(entry, ITEM_SIZE)
    for k in range(inputs + outputs):
        set_word(pointers, 8 * k, address_of(frame, k, inputs))
        set_word(steps, 8 * k, itemsize)
    count = elements(frame)
    if count * itemsize >= SPLIT_FROM:
        threads = threads_of(frame)
        future = new_future(frame) if threads > 1 else 0
        if future != 0:
            share(frame, entry, count, inputs + outputs, pointers, steps, threads, future)
            return 0
    set_word(length, 0, count)
    call(word(entry, CODE), (pointers, length, steps, word(entry, DETAIL)))
    return 0


def help_with(job: int) -> None:
    """Take part in what `share` began, on another thread."""
    compute_blocks(job)
