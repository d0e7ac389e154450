"""What the emulated GPU is like: environment variables, read once."""

import os


def number(name: str, default: int) -> int:
    return int(os.environ.get(f"EMULATED_GPU_{name}") or default)


DEVICES = number("DEVICES", 1)
PROCESSORS = number("PROCESSORS", 8)
MEMORY_BYTES = number("MEMORY_BYTES", 16 << 30)
CAPABILITY = (number("CAPABILITY", 90) // 10, number("CAPABILITY", 90) % 10)
OPT_IN_SHARED_BYTES = number("SHARED_BYTES", 227 << 10)
"""The dynamic shared memory that a block may ask for, beyond what each may have."""
RECIPROCAL_ULP = number("RECIPROCAL_ULP", 0)
"""How far off `rcp.approx` is."""
EXACT_ENDS = bool(number("EXACT_ENDS", 0))
"""Whether an allocation's end is a page's, up to 15 bytes: what goes beyond faults."""
