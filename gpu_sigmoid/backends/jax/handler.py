"""The native handler: runs a kernel's loop on XLA's buffers, without Python and its lock.

Numba compiles it. Buffers are dense and row-major, as `jax.ffi` requests from XLA. A large result is
computed in blocks on XLA's own threads; a future tells XLA when it is done, so that no thread waits.
"""

from gpu_sigmoid.backends.cpu.loop import MOST_OPERANDS
from gpu_sigmoid.backends.cpu.memory import call, fetch_add, free, malloc, set_word, symbol, word, words
from gpu_sigmoid.backends.cpu.native import jitted
from gpu_sigmoid.backends.cpu.threads import SPLIT_FROM
from gpu_sigmoid.backends.jax import frame as f
from gpu_sigmoid.backends.jax.calls import (
    FAILED_PRECONDITION,
    NOT_COMPILED,
    TASK,
    THREADS,
    address_of,
    answered,
    begin,
    buffer_of,
    describes_itself,
    elements,
    elements_of,
    entry_of,
    failure,
    key_in,
    settings,
)
from gpu_sigmoid.backends.jax.table import CODE, DETAIL, ITEM_SIZE

BLOCK = 1 << 17
"""Elements that a thread takes at a time."""

# The state, in words on the heap, that the threads computing one result share. `HOLDERS` counts the
# threads that may still read it; the last one frees it.
NEXT, LEFT, HOLDERS, BLOCKS, COUNT, OPERANDS, KERNEL, FINISH, DONE = range(0, 72, 8)
STEPS = 72
POINTERS = STEPS + 8 * MOST_OPERANDS
JOB = POINTERS + 8 * MOST_OPERANDS

host_table = symbol("gpu_sigmoid_host_kernels")


@jitted
def threads_of(frame: int) -> int:
    """Return the number of threads that may compute, including this one."""
    query = words(5)
    begin(query, 32, word(frame, f.CONTEXT))
    set_word(query, 24, query + 32)
    set_word(query, 32, 1)
    answered(frame, f.COUNT_THREADS, query)
    return min(word(query, 32), word(settings(), THREADS))


@jitted
def new_future(frame: int) -> int:
    """Give the call frame a future and return it, or 0 if there is none."""
    query = words(3)
    begin(query, 24, 0)
    if answered(frame, f.CREATE_FUTURE, query):
        set_word(frame, f.FUTURE, word(query, 16))
    return word(query, 16)


@jitted
def compute(entry: int, operands: int, pointers: int, steps: int, start: int, end: int) -> None:
    """Compute the elements from `start` to `end`."""
    moved, length = words(MOST_OPERANDS), words(1)
    set_word(length, 0, end - start)
    for k in range(operands):
        set_word(moved, 8 * k, word(pointers, 8 * k) + start * word(steps, 8 * k))
    call(word(entry, CODE), (moved, length, steps, word(entry, DETAIL)))


@jitted
def compute_blocks(job: int) -> None:
    """Compute blocks until none is left; the thread that finishes the last one tells XLA."""
    count = word(job, COUNT)
    while True:
        block = fetch_add(job, NEXT, 1)
        if block >= word(job, BLOCKS):
            break
        start, end = block * BLOCK, min((block + 1) * BLOCK, count)
        operands, entry = word(job, OPERANDS), word(job, KERNEL)
        compute(entry, operands, job + POINTERS, job + STEPS, start, end)
        if fetch_add(job, LEFT, -1) == 1:
            done = words(3)
            begin(done, 24, word(job, DONE))
            call(word(job, FINISH), (done,))
    if fetch_add(job, HOLDERS, -1) == 1:
        free(job)


@jitted
def share(job: int, frame: int, threads: int) -> None:
    """Compute a result in blocks, here and on XLA's other threads."""
    helpers = min(threads, word(job, BLOCKS)) - 1
    set_word(job, HOLDERS, helpers + 1)
    task = words(5)
    begin(task, 40, word(frame, f.CONTEXT))
    set_word(task, 24, word(settings(), TASK))
    set_word(task, 32, job)
    for _ in range(helpers):
        if not answered(frame, f.SCHEDULE, task):
            fetch_add(job, HOLDERS, -1)
    compute_blocks(job)


@jitted
def new_job(frame: int, entry: int, count: int, operands: int, pointers: int, steps: int) -> int:
    job, blocks = malloc(JOB), (count + BLOCK - 1) // BLOCK
    set_word(job, NEXT, 0)
    set_word(job, LEFT, blocks)
    set_word(job, BLOCKS, blocks)
    set_word(job, COUNT, count)
    set_word(job, OPERANDS, operands)
    set_word(job, KERNEL, entry)
    set_word(job, FINISH, word(word(frame, f.API), f.SET_FUTURE))
    set_word(job, DONE, word(frame, f.FUTURE))
    for k in range(operands):
        set_word(job, POINTERS + 8 * k, word(pointers, 8 * k))
        set_word(job, STEPS + 8 * k, word(steps, 8 * k))
    return job


def execute(frame: int) -> int:
    if describes_itself(frame, 0):
        return 0
    entry = entry_of(key_in(frame), host_table())
    if entry == 0:
        return failure(frame, FAILED_PRECONDITION, NOT_COMPILED)
    inputs, outputs = word(frame, f.INPUTS + f.SIZE), word(frame, f.OUTPUTS + f.SIZE)
    operands, itemsize, count = inputs + outputs, word(entry, ITEM_SIZE), elements(frame)
    pointers, steps = words(MOST_OPERANDS), words(MOST_OPERANDS)
    for k in range(operands):
        is_number = count > 1 and elements_of(buffer_of(frame, k, inputs)) == 1
        set_word(pointers, 8 * k, address_of(frame, k, inputs))
        set_word(steps, 8 * k, 0 if is_number else itemsize)
    if count * itemsize >= SPLIT_FROM:
        threads = threads_of(frame)
        if threads > 1 and new_future(frame) != 0:
            share(new_job(frame, entry, count, operands, pointers, steps), frame, threads)
            return 0
    compute(entry, operands, pointers, steps, 0, count)
    return 0


def help_with(job: int) -> None:
    """Help with the work that `share` began, on another thread."""
    compute_blocks(job)
