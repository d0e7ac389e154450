"""Code that all native handlers share: reading a call from XLA's frame, and answering XLA."""

from gpu_sigmoid.backends.cpu.memory import call, half, set_half, set_word, symbol, word, words
from gpu_sigmoid.backends.cpu.native import jitted
from gpu_sigmoid.backends.jax import frame as f
from gpu_sigmoid.backends.jax.table import CAPACITY, ENTRY, KEY

VERSION_MAJOR, VERSION_MINOR, THREADS, TASK, NOT_COMPILED, NOT_LAUNCHED = 0, 8, 16, 24, 32, 128
"""Byte offsets in `settings`, which the process passes to the handler. The last two are messages."""

METADATA_EXTENSION, FAILED_PRECONDITION = 1, 9
"""Values of XLA's enumerations."""

settings = symbol("gpu_sigmoid_settings")


@jitted
def describes_itself(frame: int, traits: int) -> bool:
    """Answer XLA's queries at registration (API version, traits); return whether this was one."""
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
    """Return the key of the program's kernel, its only attribute."""
    return word(word(word(word(frame, f.ATTRIBUTES + f.ATTRIBUTE_ITEMS), 0), f.VALUE), 0)


@jitted
def entry_of(key: int, table: int) -> int:
    """Return the address of a key's entry in a table, or 0."""
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
def begin(struct: int, size: int, first: int) -> None:
    """Write the beginning of a struct of arguments for XLA: its size, no extension, and its first field."""
    set_word(struct, 0, size)
    set_word(struct, 8, 0)
    set_word(struct, 16, first)


@jitted
def failure(frame: int, code: int, message: int) -> int:
    """Return an error with a message of `settings`, for XLA to raise."""
    error = words(4)
    begin(error, 32, settings() + message)
    set_half(error, 24, code)
    return call(word(word(frame, f.API), f.CREATE_ERROR), (error,))


@jitted
def buffer_of(frame: int, k: int, inputs: int) -> int:
    """Return the buffer of an operand; results follow the operands."""
    if k < inputs:
        return word(word(frame, f.INPUTS + f.ITEMS), 8 * k)
    return word(word(frame, f.OUTPUTS + f.ITEMS), 8 * (k - inputs))


@jitted
def address_of(frame: int, k: int, inputs: int) -> int:
    return word(buffer_of(frame, k, inputs), f.DATA)


@jitted
def elements_of(buffer: int) -> int:
    count = 1
    for axis in range(word(buffer, f.RANK)):
        count *= word(word(buffer, f.DIMS), 8 * axis)
    return count


@jitted
def elements(frame: int) -> int:
    """Return the number of elements of a result."""
    return elements_of(word(word(frame, f.OUTPUTS + f.ITEMS), 0))


@jitted
def answered(frame: int, function: int, query: int) -> bool:
    """Call a function of XLA's API; return whether it succeeded."""
    api = word(frame, f.API)
    error = call(word(api, function), (query,))
    if error != 0:
        unwanted = words(3)
        begin(unwanted, 24, error)
        call(word(api, f.DESTROY_ERROR), (unwanted,))
    return error == 0
